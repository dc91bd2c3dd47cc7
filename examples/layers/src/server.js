const router = require('router')
const page = require('./page')

router.get('/', (request, response) => response.end(page('Hello')))
