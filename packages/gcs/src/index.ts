// `@zenml/gcs`: what `type: gcs` of a datasource is read by. Nothing of it is to be called by hand.
export { connector } from './connector.ts'
