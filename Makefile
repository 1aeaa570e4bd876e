# Muster. `make` alone lists the targets.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/muster
LINT  := $(CACHE)/tools/golangci-lint-v2.6.2

# One set of flags for every build, so that all of them share compiled packages.
export GOFLAGS     ?= -buildvcs=false
export CGO_ENABLED ?= 0
export MUSTER_LOCAL := $(CURDIR)/bin/muster-local

# Kubernetes' own components take their version, and with it their feature
# gates, from these variables.
KUBE    := $(shell awk '$$1 == "k8s.io/kubernetes" { print $$2; exit }' go.mod)
MINOR   := $(word 2,$(subst ., ,$(KUBE)))
LDFLAGS := -s -w $(foreach p,k8s.io/client-go/pkg/version k8s.io/component-base/version,-X $(p).gitVersion=$(KUBE) -X $(p).gitMajor=1 -X $(p).gitMinor=$(MINOR) -X $(p).gitTreeState=clean)

.PHONY: help demo test build lint setup clean unit properties integration

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup build ## run real Spark applications as gangs on a local cluster (SCHEDULER=default-scheduler shows the contrast)
	go run ./demo --scheduler $(or $(SCHEDULER),muster)

test: setup lint unit properties integration ## run every test: lint, unit, properties, integration, end to end

unit: ## run the tests that start no cluster
	CGO_ENABLED=1 go test -race -short ./...

properties: ## let long random histories happen to the rooms that decide, and seed bugs to see them caught
	go test -timeout 15m $(DECIDING_ROOMS)

DECIDING_ROOMS := $(addprefix ./scheduler/,cluster core ledger planner queue resource)

integration: build ## run the tests that start clusters
	CGO_ENABLED=1 go test -race -timeout 30m -p 1 $(CLUSTER_TESTS)

CLUSTER_TESTS := ./internal/localcluster/... ./scheduler/run/... ./test/... ./demo/...

build: ## build the binaries into bin/
	@mkdir -p bin
	@hack/go-build -ldflags "$(LDFLAGS)" -o bin/ ./cmd/...

lint: $(LINT) ## check formatting, style and who may import whom
	$(LINT) run ./...

$(LINT): tools/golangci-lint/go.mod
	@mkdir -p $(@D)
	@echo "building golangci-lint (once)"
	cd tools/golangci-lint && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

setup: ## install what a bare Debian 12 machine lacks
	@hack/install-debian.sh

clean: ## remove what was built here; caches outside of the checkout stay
	rm -rf bin
