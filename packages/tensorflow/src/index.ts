// `@zenml/tensorflow`: train, evaluate, ask and deploy feed-forward networks with TensorFlow.js.
export { deploy } from './deploy.ts'
export { evaluate } from './evaluate.ts'
export { predict } from './predict.ts'
export { type TrainParameters, train } from './train.ts'
