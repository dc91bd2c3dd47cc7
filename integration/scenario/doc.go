// Package scenario is what the tests on a real daemon have in common: a project
// that is built, changed and built again through the frontend's image.
//
//   - [Project] is a build context with the options of its build. [New] makes one
//     from a row of a table, [Rebuild], on a base image that nothing else uses: its
//     first build runs every step.
//   - [Change] is one change of a project: [Edited], [Written], [Given] and so on.
//   - [Steps] reads from a build's status stream which instructions ran, and what
//     was said about each.
//   - [Web] serves pages and git repositories that a test changes.
//
// What a build should have done is not here: each package has its own kind of
// expectation, the parameter of [Rebuild], and checks it in the function that it
// gives to [Run].
package scenario
