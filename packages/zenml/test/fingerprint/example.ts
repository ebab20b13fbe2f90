import { sha256 } from '../../src/base/digest.ts'
import type { Fingerprint } from '../../src/model/fingerprint.ts'

/** A fingerprint with something in every field. */
export const example: Fingerprint = {
  format: 2,
  code: {
    digest: sha256('bundle'),
    source: 'steps/train.ts#train',
    bundler: 'esbuild 0.28.2',
    files: { 'steps/train.ts': sha256('train'), 'lib/scale.ts': sha256('scale') },
  },
  packages: [
    { name: 'zenml', version: '0.1.0', integrity: 'sha512-aaaa' },
    { name: 'zod', version: '4.6.7', integrity: 'sha512-bbbb' },
  ],
  parameters: {
    epochs: 20,
    layers: [16, 8],
    ratios: { train: 0.8, eval: 0.2 },
    label: 'Art é',
    shuffle: true,
    limit: null,
  },
  inputs: { examples: { digest: sha256('examples'), from: 'split.examples' } },
  outputs: { model: 'Model' },
  variables: { REGION: sha256('eu'), TOKEN: null },
  environment: { node: '20.20.2', platform: 'linux', arch: 'x64' },
}
