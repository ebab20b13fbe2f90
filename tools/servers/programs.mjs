import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** The path of the first of some programs that is installed, `beside` another one where that is asked for; or undefined. */
export function findProgram(names, places, beside = undefined) {
  for (const name of names) {
    for (const place of [...places, ...(process.env.PATH ?? '').split(delimiter)]) {
      const path = join(place, name)
      if (existsSync(path) && (beside === undefined || existsSync(join(place, beside)))) return path
    }
  }
  return undefined
}

/** Runs a program to its end. */
export async function run(program, args) {
  await promisify(execFile)(program, args, { cwd: '/' })
}
