// `zenml/deploy`: the step that deploys. By itself, since the code that it puts into a folder is built and in no repository: pipelines that deploy nothing do not
// look for it, and do not read it.
export { deploy } from '../steps/deploy.ts'
