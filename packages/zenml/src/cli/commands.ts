import type { CommandEntry } from './command.ts'
import { serverFlags } from './server-options.ts'

/** How a snapshot is named. */
const reference = 'DIGEST, a unique prefix of it, RUN/step.output, or a datasource as NAME or NAME@COMMIT'

/** Every command of the command line. */
export const commands: readonly CommandEntry[] = [
  {
    usage: 'init [directory]',
    description: 'make a folder a project: .zenml with configuration, metadata store and artifact store',
    load: () => import('./commands/init.ts'),
  },
  {
    usage: 'config list',
    description: 'show the stack of this repository',
    load: () => import('./commands/config-list.ts'),
  },
  {
    usage: 'config metadata get',
    description: 'show where metadata is kept',
    load: () => import('./commands/config-metadata-get.ts'),
  },
  {
    usage: 'config metadata set <type>',
    description:
      'keep metadata elsewhere from now on: sqlite, mysql (also MariaDB) or postgres. Checks that it opens, and makes what is missing, before it saves',
    options: [
      { flags: '--uri <path>', description: 'sqlite: database file, relative to the current folder' },
      {
        flags: '--journal <mode>',
        description:
          'sqlite: delete for a network file system, wal for a local disk (default: as the file is, wal for a new one)',
      },
      ...serverFlags,
    ],
    load: () => import('./commands/config-metadata-set.ts'),
  },
  {
    usage: 'config metadata upgrade [type]',
    description:
      "bring a database that an older ML Metadata wrote (schema 5 to 9) to schema 10, the project's or another one that is sqlite or mysql (also MariaDB). It is copied first: sqlite to a file beside it, mysql to the database NAME_zenml_backup_vN. What was interrupted goes on when it is called again",
    options: [
      { flags: '--uri <path>', description: 'sqlite: database file, relative to the current folder' },
      ...serverFlags,
      { flags: '--skip-backup', description: 'mysql: make no copy, since you have one' },
    ],
    load: () => import('./commands/config-metadata-upgrade.ts'),
  },
  {
    usage: 'config artifacts get',
    description: 'show where artifacts are kept',
    load: () => import('./commands/config-artifacts-get.ts'),
  },
  {
    usage: 'config artifacts set <uri>',
    description:
      'keep artifacts elsewhere from now on: a folder or a file:// URI. Checks that it can be written before it saves',
    load: () => import('./commands/config-artifacts-set.ts'),
  },
  {
    usage: 'pipeline run <file>',
    description: 'run CONFIG.yaml or MODULE.ts#export: plan, reuse, execute, record',
    options: [
      { flags: '--no-cache', description: 'execute every step, reuse none' },
      { flags: '--param <step.name=value>', description: 'set a parameter; may be given several times', many: true },
      { flags: '--seed <number>', description: 'seed of the run, from 0 to 2147483647' },
      { flags: '--require-clean', description: 'refuse to run uncommitted changes' },
      { flags: '--dry-run', description: 'print what would be executed or reused, and why; run and record nothing' },
    ],
    stops: true,
    load: () => import('./commands/pipeline-run.ts'),
  },
  {
    usage: 'pipeline list',
    description: 'list the pipelines that have run',
    load: () => import('./commands/pipeline-list.ts'),
  },
  {
    usage: 'pipeline get <name>',
    description: 'show a pipeline: its steps, datasources and latest runs',
    load: () => import('./commands/pipeline-get.ts'),
  },
  {
    usage: 'pipeline runs [name]',
    description: 'list runs, newest first',
    options: [
      { flags: '--status <status>', description: 'only runs in this state: running, complete, failed or canceled' },
      {
        flags: '--since <time>',
        description: 'only runs that started then or later: 2026-11-24, "2026-11-24 02:13" (UTC), or 7d ago',
      },
      { flags: '--until <time>', description: 'only runs that started before then' },
      {
        flags: '--sort <by>',
        description:
          'started (the default), finished, duration, pipeline or status; finished and duration have only runs that ended',
      },
      { flags: '--order <order>', description: 'asc or desc (default: desc, but asc by pipeline and status)' },
      { flags: '--limit <number>', description: 'how many at the most (default 20)' },
      { flags: '--before <run>', description: 'only runs that started before this one' },
      { flags: '--page-token <token>', description: 'the next page: the nextPageToken of the page before' },
    ],
    load: () => import('./commands/pipeline-runs.ts'),
  },
  {
    usage: 'pipeline status <run>',
    description: 'show a run with all its steps; @latest names the newest',
    load: () => import('./commands/pipeline-status.ts'),
  },
  {
    usage: 'pipeline explain <run> [step]',
    description: 'say why each step was executed or reused, down to the file, package or parameter that changed',
    options: [
      {
        flags: '--against <run>',
        description: 'compare with this run (default: the nearest earlier execution of each step)',
      },
    ],
    load: () => import('./commands/pipeline-explain.ts'),
  },
  {
    usage: 'pipeline config <run>',
    description: 'print the pinned declarative configuration of a run',
    load: () => import('./commands/pipeline-config.ts'),
  },
  {
    usage: 'pipeline rerun <run>',
    description:
      'run a past run again from its pinned code, packages, Node, data and seed; RUN or its printed configuration',
    options: [{ flags: '--reuse', description: 'take the steps whose outputs the store still holds' }],
    stops: true,
    load: () => import('./commands/pipeline-rerun.ts'),
  },
  {
    usage: 'pipeline verify <run>',
    description:
      'execute a past run again in a place of its own and compare every output digest; exit code 3 on a difference',
    options: [
      { flags: '--step <name>', description: 'only this step; may be given several times', many: true },
      { flags: '--times <number>', description: 'execute each step this many times (default 1)' },
    ],
    stops: true,
    load: () => import('./commands/pipeline-verify.ts'),
  },
  {
    usage: 'datasource list',
    description: 'list the datasources that runs have read',
    load: () => import('./commands/datasource-list.ts'),
  },
  {
    usage: 'datasource get <name>',
    description: 'show a datasource and its snapshots',
    load: () => import('./commands/datasource-get.ts'),
  },
  {
    usage: 'datasource commit <name> [file]',
    description:
      'take a snapshot of a datasource as it is now; FILE (a pipeline) declares it, else it is as it was used last',
    stops: true,
    load: () => import('./commands/datasource-commit.ts'),
  },
  {
    usage: 'datasource commits <name>',
    description: 'list the commits of a datasource, newest first',
    options: [{ flags: '--limit <number>', description: 'how many at the most (default 20)' }],
    load: () => import('./commands/datasource-commits.ts'),
  },
  {
    usage: 'datasource diff <before> <after>',
    description: `compare two snapshots (${reference}): rows added, removed and changed, features that came, went or changed their kind`,
    options: [
      {
        flags: '--key <features>',
        description:
          'features that tell a row from the others, with commas; without, a changed row is one removed and one added',
      },
      {
        flags: '--drift',
        description:
          'measure how far the distribution of each feature has moved (L-infinity, Jensen-Shannon); reads both as a whole',
      },
    ],
    stops: true,
    load: () => import('./commands/datasource-diff.ts'),
  },
  {
    usage: 'datasource sample <snapshot>',
    description: `show rows of a snapshot (${reference}), taken at random; the same seed takes the same`,
    options: [
      { flags: '--rows <number>', description: 'how many at the most (default 10)' },
      { flags: '--seed <number>', description: 'from 0 to 2147483647 (default 0)' },
      { flags: '--split <name>', description: 'only of this split (default: of all)' },
    ],
    stops: true,
    load: () => import('./commands/datasource-sample.ts'),
  },
  {
    usage: 'datasource statistics <snapshot>',
    description: `show what is in every feature and split of a snapshot (${reference}), or of Statistics that a run recorded`,
    options: [{ flags: '--split <name>', description: 'only this split (default: all)' }],
    stops: true,
    load: () => import('./commands/datasource-statistics.ts'),
  },
  {
    usage: 'datasource schema <snapshot>',
    description: `print the schema that a snapshot suggests (${reference}) as pbtxt, or a Schema that a run recorded`,
    options: [
      { flags: '--split <name>', description: 'infer it from this split (default: train, else the only one)' },
      {
        flags: '--max-domain <number>',
        description: 'a text feature with at most as many values gets a domain of them (default 100)',
      },
      {
        flags: '--write <file>',
        description:
          'write it into the repository; a file that says something else is left as it is, and the difference shown',
      },
      { flags: '--force', description: 'replace the file' },
    ],
    stops: true,
    load: () => import('./commands/datasource-schema.ts'),
  },
  {
    usage: 'datasource anomalies <snapshot>',
    description: `find what a snapshot (${reference}), or Statistics that a run recorded, does not agree in with a schema and with earlier data; exit code 1 where there is something`,
    options: [
      {
        flags: '--schema <schema>',
        description:
          'a pbtxt file, a Schema that a run recorded (RUN/step.output), or a snapshot whose schema is inferred',
      },
      {
        flags: '--baseline <snapshot>',
        description: 'earlier data, a snapshot or Statistics: drift is measured from it',
      },
      {
        flags: '--drift <limits>',
        description:
          'linf=NUMBER for texts, js=NUMBER for numbers, or both with a comma: limits of the drift of features that the schema does not limit',
      },
      {
        flags: '--serving-split <name>',
        description: 'the split that stands for the data of serving: skew is measured from it',
      },
      { flags: '--skew <limits>', description: 'as --drift, of the skew' },
      {
        flags: '--split <name>',
        description: 'only this split; may be given several times (default: all)',
        many: true,
      },
      {
        flags: '--environment <name>',
        description: 'such as SERVING: features that the schema does not have in it may be missing',
      },
      {
        flags: '--new-features <severity>',
        description: 'of features that the schema does not have: error (default) or warning',
      },
    ],
    stops: true,
    load: () => import('./commands/datasource-anomalies.ts'),
  },
  {
    usage: 'datasource export <snapshot> [directory]',
    description: `write a snapshot (${reference}) as Parquet files, read them back, and prove that they hold the same rows`,
    stops: true,
    load: () => import('./commands/datasource-export.ts'),
  },
  {
    usage: 'step list',
    description: 'list the steps seen in runs',
    load: () => import('./commands/step-list.ts'),
  },
  {
    usage: 'artifact list',
    description: 'list artifacts, newest first',
    options: [
      { flags: '--type <type>', description: 'only artifacts of this type' },
      { flags: '--limit <number>', description: 'how many at the most (default 20)' },
    ],
    load: () => import('./commands/artifact-list.ts'),
  },
  {
    usage: 'artifact get <artifact>',
    description: 'show an artifact: DIGEST, a unique prefix of it, or RUN/step.output',
    load: () => import('./commands/artifact-get.ts'),
  },
  {
    usage: 'artifact pull <artifact> [directory]',
    description: 'copy the files of an artifact into a folder',
    load: () => import('./commands/artifact-pull.ts'),
  },
  {
    usage: 'artifact lineage <artifact>',
    description: 'show what an artifact was made from and what was made from it',
    options: [{ flags: '--direction <direction>', description: 'up, down or both (default both)' }],
    load: () => import('./commands/artifact-lineage.ts'),
  },
  {
    usage: 'code list',
    description: 'list the snapshots of uncommitted changes, with the runs that were made from them',
    load: () => import('./commands/code-list.ts'),
  },
  {
    usage: 'code push [remote]',
    description: 'push the snapshots that runs were made from, so that others can rerun them (default origin)',
    load: () => import('./commands/code-push.ts'),
  },
  {
    usage: 'code prune',
    description: 'let go of code below refs/zenml that no run names and that is older than a day',
    options: [{ flags: '--dry-run', description: 'only say what would be let go' }],
    load: () => import('./commands/code-prune.ts'),
  },
  {
    usage: 'metadata serve',
    description:
      'serve the metadata store to clients of ML Metadata: gRPC, and gRPC-Web for pages; Ctrl-C finishes running calls and ends it',
    options: [
      { flags: '--host <address>', description: 'address to serve at (default 127.0.0.1: only this machine)' },
      { flags: '--port <number>', description: 'port of gRPC (default 8080; 0: any free one)' },
      { flags: '--grpc-web-port <number>', description: 'serve gRPC-Web too, at this port' },
      {
        flags: '--grpc-web-origin <origin>',
        description: 'pages of this origin may ask over gRPC-Web; may be given several times',
        many: true,
      },
      { flags: '--tls-cert <file>', description: 'PEM file of the certificate to serve with' },
      { flags: '--tls-key <file>', description: 'PEM file of its key' },
      { flags: '--tls-ca <file>', description: 'let in only clients with a certificate of this authority (PEM file)' },
      {
        flags: '--token-env <name>',
        description: 'let in only clients with the bearer token that this variable holds',
      },
      { flags: '--token-file <file>', description: 'the same, with the token in a file' },
      { flags: '--max-message-size <bytes>', description: 'largest request (default 16777216)' },
    ],
    stops: 'well',
    load: () => import('./commands/metadata-serve.ts'),
  },
  {
    usage: 'version',
    description: 'print the versions of zenml and Node',
    load: () => import('./commands/version.ts'),
  },
]

/** What the groups of commands are about. */
export const groups: { readonly [name: string]: string } = {
  config: 'the stack of this repository',
  'config metadata': 'where metadata is kept',
  'config artifacts': 'where artifacts are kept',
  metadata: 'the metadata store for other programs',
  pipeline: 'run pipelines and look at their runs',
  datasource: 'data from outside and its snapshots',
  step: 'steps seen in runs',
  artifact: 'what steps made: look, copy, trace',
  code: 'snapshots of uncommitted changes that runs were made from',
}
