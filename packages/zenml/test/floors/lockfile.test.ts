import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const lockfile = new URL('../../../../package-lock.json', import.meta.url)

it.skipIf(!existsSync(lockfile))('our own lockfile pins every package by its integrity, and names no address', () => {
  const { packages } = JSON.parse(readFileSync(lockfile, 'utf8')) as {
    packages: { [place: string]: { integrity?: string; link?: boolean; resolved?: string; inBundle?: boolean } }
  }
  const installed = Object.entries(packages).filter(([place, { link }]) => place.includes('node_modules/') && !link)
  expect(installed.length).toBeGreaterThan(50)
  const loose = installed.filter(([, { integrity, inBundle }]) => !inBundle && !integrity?.startsWith('sha512-'))
  expect(loose.map(([place]) => place)).toEqual([])
  expect(Object.values(packages).filter(({ resolved }) => resolved?.includes('://'))).toEqual([])
})
