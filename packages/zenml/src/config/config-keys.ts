import { datasourceKeys } from './datasource-keys.ts'

/** What a key of the configuration may hold: the one table that the parser checks by and the JSON Schema is written from. */
export interface KeyRule {
  readonly type:
    | 'string'
    | 'integer'
    | 'boolean'
    | 'object'
    | 'strings'
    | 'texts'
    | 'references'
    | 'free'
    | 'any'
    | 'map'
  readonly description: string
  readonly required?: true
  readonly values?: readonly (string | number)[]
  readonly minimum?: number
  readonly maximum?: number
  /** Regular expression of a text, or of the keys of a map. */
  readonly pattern?: string
  /** What each text of a list is called in a message. */
  readonly item?: string
  /** Keys of an object, or of each entry of a map. */
  readonly keys?: KeyTable
  /** Keys of each entry of a map by its `type`; the first is the default. */
  readonly types?: { readonly [type: string]: KeyTable }
}

/** Keys of an object by name. */
export interface KeyTable {
  readonly [key: string]: KeyRule
}

const partName = '^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$'

/** Every key of a pipeline's configuration. */
export const configKeys: KeyTable = {
  version: { type: 'integer', description: 'Version of this format.', required: true, values: [1] },
  pipeline: {
    type: 'string',
    description: 'Name of the pipeline.',
    required: true,
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$',
  },
  seed: {
    type: 'integer',
    description: "Seed of the run; every step's seed is derived from it. Default 0.",
    minimum: 0,
    maximum: 2147483647,
  },
  strict: {
    type: 'boolean',
    description: 'true: no step may touch what it does not declare, unless it says strict: false. Default false.',
  },
  stores: {
    type: 'object',
    description:
      "Where runs are kept; the project's stores where it is left out. Paths are relative to the repository's root.",
    keys: {
      metadata: {
        type: 'object',
        description: 'ML Metadata.',
        keys: {
          type: { type: 'string', description: 'Kind of database.', required: true, values: ['sqlite'] },
          path: { type: 'string', description: 'Database file inside of the repository.', required: true },
        },
      },
      artifacts: {
        type: 'object',
        description: 'Artifacts.',
        keys: {
          type: { type: 'string', description: 'Kind of store.', required: true, values: ['local'] },
          path: { type: 'string', description: 'Folder inside of the repository.', required: true },
        },
      },
    },
  },
  backend: {
    type: 'object',
    description: 'Where steps run. Default local.',
    keys: {
      type: { type: 'string', description: 'Kind of backend.', required: true, values: ['local'] },
      parallelism: {
        type: 'integer',
        description: 'How many steps may run at once. Default: the number of processors.',
        minimum: 1,
        maximum: 1024,
      },
    },
  },
  datasources: {
    type: 'map',
    description: 'Data that lies outside, by name.',
    pattern: partName,
    types: datasourceKeys,
  },
  artifacts: {
    type: 'map',
    description: 'What other runs gave, by name.',
    pattern: partName,
    keys: {
      type: { type: 'string', description: 'The artifact type, such as Model.', required: true },
      artifact: {
        type: 'string',
        description: 'A digest, or RUN/step.output; either this or pipeline and output.',
      },
      pipeline: { type: 'string', description: 'A pipeline, of whose newest complete run the output is taken.' },
      output: { type: 'string', description: 'step.output of that run.' },
      optional: {
        type: 'boolean',
        description:
          'Inputs that read it are left out as long as no complete run has given it. Default false: an error.',
      },
    },
  },
  steps: {
    type: 'map',
    description: 'The steps, by name; their inputs make the graph.',
    required: true,
    pattern: partName,
    keys: {
      source: {
        type: 'string',
        description: 'steps/train.ts#train, or zenml/steps#split in an installed package.',
        required: true,
      },
      parameters: { type: 'free', description: "Parameters; the step's schema fills in defaults." },
      inputs: { type: 'references', description: 'Input name to step.output, datasources.name or artifacts.name.' },
      environment: {
        type: 'strings',
        description: 'Environment variables that the step may see.',
        pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        item: 'name of a variable',
      },
      timeout: { type: 'integer', description: 'Wall-clock limit in seconds.', minimum: 1, maximum: 31536000 },
      memory: { type: 'integer', description: 'Limit of the JavaScript heap in MiB.', minimum: 16, maximum: 1048576 },
      cache: { type: 'boolean', description: 'false: executed in every run. Default true.' },
      strict: {
        type: 'boolean',
        description: "true: fails at the first thing that it touches without declaring it. Default the pipeline's.",
      },
    },
  },
  run: {
    type: 'free',
    description: 'Pins of the run that this configuration was printed from (zenml pipeline config RUN); informational.',
  },
}
