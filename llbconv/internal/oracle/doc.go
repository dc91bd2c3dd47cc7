// Package oracle compares this project's converter with docker/dockerfile's. A
// Case is a Dockerfile with the options of a build; Compare converts it with both
// and lists every difference that a user or a cache could see: operations, names,
// positions, image configs, warnings and errors.
//
// No daemon and no network is involved: the gateway, its files and the metadata
// of images come from fakes (see Gateway and Images).
//
// It is for tests only: it imports docker/dockerfile's converter, which nothing
// that is shipped may do.
package oracle
