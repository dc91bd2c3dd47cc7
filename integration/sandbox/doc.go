// Package sandbox gives tests, the demo and anybody by hand a private buildkitd
// and a private image registry on this machine, and takes everything away again.
//
// Start builds the pinned tools, installs the Debian packages that are missing,
// starts both servers and waits until they answer. The daemon runs in its own
// process and mount namespaces and is killed by the kernel with the process that
// started it; a janitor process removes the files. So nothing stays behind after
// a failed test, a panic, Ctrl-C or kill -9. See docs/testing.md.
//
// The daemon looks for docker.io images in the private registry first. Seed puts
// stand-ins for the usual base images there, PushFrontend the frontend of this
// tree.
//
// Steps use the machine's network (the worker's network mode is host), so a RUN
// reaches servers that a test has listening on 127.0.0.1.
package sandbox
