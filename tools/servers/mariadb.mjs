// MariaDB, or MySQL where that is installed, in a folder of its own.
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, run } from './programs.mjs'

const places = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']

export const mariadb = {
  account: 'root',
  program: () => findProgram(['mariadbd', 'mysqld'], places),

  async initialise({ folder, password }) {
    const data = join(folder, 'data')
    const installer = findProgram(['mariadb-install-db'], places)
    if (installer === undefined)
      await run(this.program(), ['--no-defaults', '--initialize-insecure', `--datadir=${data}`])
    else
      await run(installer, [
        '--no-defaults',
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ])
    // The password goes through a file, since arguments can be read by everybody.
    const account = (host) => `CREATE USER IF NOT EXISTS 'root'@'${host}' IDENTIFIED BY '${password}';
ALTER USER 'root'@'${host}' IDENTIFIED BY '${password}';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'${host}' WITH GRANT OPTION;
`
    await writeFile(join(folder, 'init.sql'), ['localhost', '127.0.0.1'].map(account).join(''), { mode: 0o600 })
  },

  start({ folder, port, durable, options }) {
    return [
      '--no-defaults',
      `--datadir=${join(folder, 'data')}`,
      `--socket=${join(folder, 'socket')}`,
      `--port=${port}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--init-file=${join(folder, 'init.sql')}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      // A server that starts clears its temporary folder, also of the tables of another one that runs.
      `--tmpdir=${folder}`,
      // What was committed outlives a killed server either way, and a crashed machine only where it is durable.
      `--innodb-flush-log-at-trx-commit=${durable ? 1 : 2}`,
      ...options,
    ]
  },

  socket: ({ folder }) => join(folder, 'socket'),
  isReady: ({ folder }, pid) =>
    existsSync(join(folder, 'pid')) && Number(readFileSync(join(folder, 'pid'), 'utf8')) === pid,
  /** A clean end. */
  endSignal: 'SIGTERM',
  /** The fastest end that leaves no process. */
  quickSignal: 'SIGKILL',
}
