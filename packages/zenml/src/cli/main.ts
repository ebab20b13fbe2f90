import { run } from './run.ts'

process.exitCode = await run(process.argv.slice(2), {
  directory: process.cwd(),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
})
