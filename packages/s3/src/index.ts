// `@zenml/s3`: what `type: s3` of a datasource is read by. Nothing of it is to be called by hand.
export { connector } from './connector.ts'
