# Needs Go, git and, for what uses the sandbox, root on a Debian machine.
# Everything that is made lands in build/.

GO ?= go
FUZZTIME ?= 30s
DRIVER ?= remote

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Compile the frontend for this machine: build/cachewright
	CGO_ENABLED=0 $(GO) build -trimpath -tags grpcnotrace -ldflags "-s -w" -o build/cachewright ./cmd/frontend

.PHONY: image
image: ## Build the release image with the frontend itself: build/frontend.tar
	$(GO) run ./integration/cmd/image -o build/frontend.tar

.PHONY: demo
demo: ## Build examples again and again and show what is cached: DRIVER=docker on a Docker Engine
	$(GO) run ./integration/cmd/demo -driver $(DRIVER)

.PHONY: picture
picture: ## Make the README's pictures again, from builds on a private daemon
	$(GO) run ./integration/cmd/picture -o docs/images

.PHONY: test
test: ## Run all tests, those on a real daemon too
	$(GO) test -count=1 -timeout 45m ./...

# Without the comparisons, since docker/dockerfile's converter has races of its own, and
# without what measures memory, of which the detector takes some. The tests on a daemon
# push a frontend that is under the race detector too.
.PHONY: race
race: ## Run the tests under the race detector, those on a real daemon too
	CGO_ENABLED=1 $(GO) test -race -skip 'Oracle|TestMemory' ./cmd/... ./frontend/... ./llbconv/... ./cachepolicy/...
	CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 30m ./integration/examples ./integration/frontend ./integration/rules ./integration/transports

.PHONY: engine
engine: ## Run the tests on a current Docker Engine
	$(GO) test -count=1 -v ./integration/engine && $(GO) test -count=1 -v -run TestShow ./integration/cmd/demo

.PHONY: honesty
honesty: ## Compare what is said about random builds with what they do, for 20 minutes: HONESTY='-seed 7'
	$(GO) test -count=1 -timeout 90m -v ./integration/honesty -run TestHonesty -args -seed 0 -for 20m -shrink 2m $(HONESTY)

.PHONY: conformance
conformance: ## Run BuildKit's Dockerfile tests with upstream's frontend and with ours
	cd integration/conformance && $(GO) test -count=1 ./... && $(GO) run . $(CONFORMANCE)

.PHONY: bench
bench: ## Measure the frontend beside upstream's, and print tables: BENCH='-parts rebuild,memory'
	$(GO) run ./integration/cmd/bench $(BENCH)

.PHONY: lint
lint: ## Check format, vet, staticcheck, go.mod and workflows
	@unformatted="$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)"; test -z "$$unformatted" || { echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=tools/lint/go.mod staticcheck ./...
	$(GO) tool -modfile=tools/lint/go.mod exhaustive ./cachepolicy/... ./frontend/... ./llbconv/... ./cmd/...
	$(GO) mod tidy -diff
	$(GO) tool -modfile=tools/lint/go.mod actionlint
	cd integration/conformance && $(GO) vet ./... && $(GO) tool -modfile=../../tools/lint/go.mod staticcheck ./... && $(GO) mod tidy -diff

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in the frontend (needs vuln.go.dev)
	$(GO) tool -modfile=tools/lint/go.mod govulncheck ./cmd/frontend

.PHONY: generate
generate: ## Write the generated files again
	$(GO) generate ./...

.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZTIME (30s)
	@set -e; for pkg in $$($(GO) list ./...); do \
		for name in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: up
up: build/bin/sandbox ## Start a private buildkitd and registry, and leave them running
	@build/bin/sandbox up

.PHONY: seed
seed: build/bin/sandbox ## Push the base images and the frontend to the running registry
	@build/bin/sandbox seed

.PHONY: down
down: build/bin/sandbox ## Stop what make up started
	@build/bin/sandbox down

.PHONY: build/bin/sandbox
build/bin/sandbox:
	@$(GO) build -o $@ ./integration/cmd/sandbox

.PHONY: clean
clean: ## Remove everything that was made, the base images too
	rm -rf build
