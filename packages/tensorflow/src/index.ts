// `@zenml/tensorflow`: train and evaluate feed-forward networks with TensorFlow.js.
export { type EvaluateParameters, evaluate } from './evaluate.ts'
export { type TrainParameters, train } from './train.ts'
