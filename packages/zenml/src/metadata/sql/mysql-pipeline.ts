import type { Connection, FieldPacket } from 'mysql2/promise'

/** A statement in MySQL's words, with its values as the driver wants them. */
export interface PipelinedStatement {
  readonly text: string
  readonly values: readonly unknown[]
}

export type PipelinedOutcome =
  | { readonly result: unknown; readonly fields: readonly FieldPacket[] | undefined }
  | { readonly error: unknown }

/** A command of mysql2: it is run once to send itself, then with each packet of its answer, until it says that it is done. */
interface Command {
  execute(packet: unknown, core: Core): boolean
  /** Told where the connection breaks. */
  readonly onResult?: (error: Error) => void
  /** Of one that executes a statement: the prepared one, undefined until the server prepared it. */
  readonly statement?: unknown
}

/** What of mysql2's connection is used here; `_commands` are those that wait for the present one to be done. */
interface Core {
  execute(
    text: string,
    values: readonly unknown[],
    done: (error: Error | null, result: unknown, fields?: readonly FieldPacket[]) => void,
  ): unknown
  addCommand(command: Command): unknown
  readonly _commands: { shift(): Command | undefined }
  /** Number of the next packet of the present command. */
  sequenceId: number
  readonly stream: { cork(): void; uncork(): void }
}

/**
 * Sends prepared statements without waiting for the answers in between, in one write where all are prepared; a server of MySQL's
 * protocol reads, runs and answers them one after the other. Where one fails, those behind it run all the same.
 *
 * mysql2 itself sends a command when the one before was answered. Here its own commands are taken from its queue and sent by one
 * of ours, which hands each packet of the answers to the command that it belongs to. Never rejects.
 */
export function pipeline(
  connection: Connection,
  statements: readonly PipelinedStatement[],
): Promise<readonly PipelinedOutcome[]> {
  if (statements.length === 0) return Promise.resolve([])
  const core = (connection as unknown as { readonly connection: Core }).connection
  return new Promise((resolve) => {
    const outcomes: PipelinedOutcome[] = new Array(statements.length)
    let open = statements.length
    const settle = (index: number, outcome: PipelinedOutcome): void => {
      if (outcomes[index] !== undefined) return
      outcomes[index] = outcome
      if (--open === 0) resolve(outcomes)
    }
    const unsent: Command[] = []
    const sent: { readonly command: Command; readonly sequenceId: number }[] = []

    const enqueue = (): void => {
      for (const [index, { text, values }] of statements.entries()) {
        core.execute(text, values, (error, result, fields) =>
          settle(index, error === null ? { result, fields } : { error }),
        )
      }
      for (let command = core._commands.shift(); command !== undefined; command = core._commands.shift())
        unsent.push(command)
    }
    const send = (): void => {
      core.stream.cork()
      for (let command = unsent[0]; command !== undefined; command = unsent[0]) {
        // Its number comes with the answer of the command before, which prepares it.
        if ('statement' in command && command.statement === undefined && sent.length > 0) break
        unsent.shift()
        if (!command.execute(undefined, core)) sent.push({ command, sequenceId: core.sequenceId })
      }
      core.stream.uncork()
    }
    core.addCommand({
      onResult(error) {
        for (const index of statements.keys()) settle(index, { error })
      },
      execute(packet) {
        if (packet === undefined) enqueue()
        else if (sent[0]!.command.execute(packet, core)) sent.shift()
        else return false
        send()
        // Each answer counts its packets from the request on.
        if (sent[0] !== undefined) core.sequenceId = sent[0].sequenceId
        return sent.length === 0
      },
    })
  })
}
