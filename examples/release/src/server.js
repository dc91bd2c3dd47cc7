const router = require('router')
