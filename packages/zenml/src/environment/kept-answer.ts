import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sha256 } from '../base/digest.ts'

/** Reads an answer that `keepAnswer` wrote; undefined where it is missing, cut off or altered: then it is found again. */
export async function readAnswer<T>(file: string): Promise<T | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    const end = text.indexOf('\n')
    return sha256(text.slice(end + 1)) === text.slice(0, end) ? (JSON.parse(text.slice(end + 1)) as T) : undefined
  } catch {
    return undefined
  }
}

/** Keeps an answer for later processes, as a whole or not at all; the folder is made where it is missing. */
export async function keepAnswer(file: string, answer: unknown): Promise<void> {
  const text = JSON.stringify(answer)
  // Two who keep the same answer at once each write a part of their own.
  const part = `${file}.${randomUUID()}.part`
  await mkdir(dirname(file), { recursive: true })
  try {
    await writeFile(part, `${sha256(text)}\n${text}`)
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
