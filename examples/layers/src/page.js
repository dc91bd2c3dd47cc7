const template = require('template')

module.exports = (title) => template('<h1>{{title}}</h1>', { title })
