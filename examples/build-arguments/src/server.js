const router = require('router')

router.get('/', (request, response) => response.end('Hello'))
