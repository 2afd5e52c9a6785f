export { downgrade } from './downgrade.js'
