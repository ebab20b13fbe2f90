// The one entry point of a step, wherever it runs: `step-host.js run DIRECTORY`, or `describe`, `canary` and `pipeline`
// with `REQUEST RESPONSE` to ask steps and pipelines what they declare and compute. See model/step-protocol.ts.
import { describeSteps } from './describe.ts'
import { measureCanaries } from './measure-canaries.ts'
import { readPipeline } from './read-pipeline.ts'
import { runTask } from './run-task.ts'

const [mode, ...rest] = process.argv.slice(2)
switch (mode) {
  case 'run':
    await runTask(rest[0]!)
    break
  case 'describe':
    await describeSteps(rest[0]!, rest[1]!)
    break
  case 'canary':
    await measureCanaries(rest[0]!, rest[1]!)
    break
  case 'pipeline':
    await readPipeline(rest[0]!, rest[1]!)
    break
  default:
    process.stderr.write(`step-host: unknown mode ${JSON.stringify(mode)}\n`)
    process.exitCode = 2
}
