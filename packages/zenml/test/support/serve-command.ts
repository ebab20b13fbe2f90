import type { spawn } from 'node:child_process'
import type { TestProject } from './project.ts'

/** A `zenml metadata serve` that answers. */
export interface Served {
  readonly child: ReturnType<typeof spawn>
  readonly port: number
  readonly grpcWebPort: number | null
  readonly document: unknown
  readonly stderr: () => string
  /** Sends a signal and gives the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts `zenml metadata serve` at free ports and waits until it says that it answers. */
export async function serve(project: TestProject, ...args: string[]): Promise<Served> {
  const child = project.start('metadata', 'serve', '--json', '--port=0', ...args)
  let [stdout, stderr] = ['', '']
  child.stderr!.on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (text) => {
      stdout += text
      if (stdout.endsWith('}\n')) resolve()
    })
    ended.then(() => reject(new Error(stderr)))
  })
  const document = JSON.parse(stdout) as Pick<Served, 'port' | 'grpcWebPort'>
  return {
    ...document,
    child,
    document,
    stderr: () => stderr,
    end(signal) {
      child.kill(signal)
      return ended
    },
  }
}
