// `@zenml/tensorflow`: train, evaluate and ask feed-forward networks with TensorFlow.js; `@zenml/tensorflow/deploy` deploys them.
export { evaluate } from './evaluate.ts'
export { predict } from './predict.ts'
export { type TrainParameters, train } from './train.ts'
