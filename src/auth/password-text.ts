export { preparePassword } from '../sasl/index.js'
