# Muster. `make` alone lists the targets.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/muster
LINT  := $(CACHE)/tools/golangci-lint-v2.6.2
TESTS := $(CACHE)/tools/gotestsum-v1.13.0

# One set of flags for every build, so that all of them share compiled packages.
export GOFLAGS     ?= -buildvcs=false
export CGO_ENABLED ?= 0
export MUSTER_LOCAL := $(CURDIR)/bin/muster-local

# Compilers, linters and clusters use a fifth less CPU time when they collect
# garbage less often; the limit, of each process, keeps their memory in bounds.
export GOGC       ?= 400
export GOMEMLIMIT ?= 8GiB

# Kubernetes' own components take their version, and with it their feature
# gates, from these variables.
KUBE    := $(shell awk '$$1 == "k8s.io/kubernetes" { print $$2; exit }' go.mod)
MINOR   := $(word 2,$(subst ., ,$(KUBE)))
LDFLAGS := -s -w $(foreach p,k8s.io/client-go/pkg/version k8s.io/component-base/version,-X $(p).gitVersion=$(KUBE) -X $(p).gitMajor=1 -X $(p).gitMinor=$(MINOR) -X $(p).gitTreeState=clean)

.PHONY: help demo test test-versions test-numa guest-kernel soak histories mutations seeded-bugs conformance bench bench-quick build lint setup clean unit integration

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup build ## run real Spark applications as gangs on a local cluster (SCHEDULER=default-scheduler shows the contrast)
	go run ./demo --scheduler $(or $(SCHEDULER),muster)

# What starts clusters takes longest, and so goes first.
CLUSTER_TESTS := ./test/spark ./demo ./internal/localcluster/... ./scheduler/run ./test/...

# The packages with tests. Others are left out: with the race detector all that they
# import, the whole of Kubernetes, would be compiled once more.
tested = $$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' $(1))

# Tests of clusters wait much of their time, so three packages at a time keep two
# cores busy. Vet is a part of lint. At the end it is told what was skipped, and why.
GO_TEST := CGO_ENABLED=1 $(TESTS) --format pkgname -- \
	-race -vet=off -ldflags='-s -w' -timeout 40m -p 3

test: setup build $(TESTS) ## run every test: unit, properties, integration, end to end
	$(GO_TEST) $(call tested,$(CLUSTER_TESTS) ./...)

unit: $(TESTS) ## run the tests that start no cluster, with few random histories
	$(GO_TEST) -short $(call tested,./...)

integration: build $(TESTS) ## run the tests that start clusters
	$(GO_TEST) $(call tested,$(CLUSTER_TESTS))

test-versions: build $(TESTS) ## run the core gang tests on older versions of Kubernetes (VERSIONS="1.34 1.35 1.36")
	GOTESTSUM=$(TESTS) hack/test-versions $(or $(VERSIONS),1.34 1.35 1.36)

# What is emulated takes half an hour and more, so that it is no part of test.
test-numa: setup build $(TESTS) guest-kernel ## run pods on a real kubelet with two NUMA nodes, in an emulated machine
	@hack/install-debian.sh emulation
	MUSTER_EMULATE=1 CGO_ENABLED=0 $(TESTS) --format standard-verbose -- -vet=off -count 1 -timeout 2h -p 1 ./test/numaguest

# It is Debian's, and installed nowhere.
guest-kernel: $(CACHE)/guest-kernel

$(CACHE)/guest-kernel:
	@hack/fetch-guest-kernel $@

# How many of each random history, stream and case soak lets happen.
HISTORIES ?= 10000
SOAK := CGO_ENABLED=0 $(TESTS) --format standard-verbose -- -vet=off -count 1 -timeout 3h -rapid.checks $(HISTORIES)

soak: $(TESTS) ## let HISTORIES of each random history happen (ten thousand)
	$(SOAK) -run 'TestHistories|TestNoAlignedMember|TestTheModelForetellsTheKubelet' ./scheduler/core ./test/kubeletoracle
	$(SOAK) ./scheduler/numa ./scheduler/cluster ./scheduler/ledger ./scheduler/planner ./scheduler/queue

# One history after the other uses one core, so two processes share them, each with its
# own: what CI says of a change depends on nothing else. "make soak" tries others.
histories: ## let ten thousand histories of gangs and streams of pods happen, as CI does
	go test -c -vet=off -o $(CACHE)/core.test ./scheduler/core
	cd scheduler/core && printf '%s\n' 1 2 | xargs -P 2 -I {} \
		$(CACHE)/core.test -test.run '^TestHistories$$' -test.timeout 2h -rapid.seed {} -rapid.checks $$(( $(HISTORIES) / 2 ))
	cd scheduler/core && printf '%s\n' Moves Reclaim Bookings Parts | xargs -P 2 -I {} \
		$(CACHE)/core.test -test.run '^TestHistoriesOf{}$$' -test.timeout 2h -rapid.seed 1 -rapid.checks $$(( $(HISTORIES) / 10 ))
	go test -vet=off -count 1 -run TestTheModelForetellsTheKubelet ./test/kubeletoracle -rapid.seed 1 -rapid.checks $(HISTORIES)

# Of each of four kinds; what the definitions refuse counts, too.
MUTATIONS ?= 250

mutations: build ## give the operators a thousand wrong manifests on a cluster (MUTATIONS of each kind)
	go test -vet=off -count 1 -timeout 30m -run 'TestSparkApplicationsRun/whatever' ./test/sparkoperator -mutations $(MUTATIONS) -v

seeded-bugs: $(TESTS) ## put in one bug after the other, and see that the histories tell
	CGO_ENABLED=0 $(TESTS) --format standard-verbose -- -vet=off -count 1 -run TestPropertiesCatchSeededBugs ./scheduler/core -seeded-bugs

# SPARK_HOME may name several, as PATH does; UPDATE=-update stores what they answer.
conformance: export SPARK_HOME ?= $(CACHE)/spark/4.3.0
conformance: ## compare what is made of Spark's settings with what the Spark in SPARK_HOME makes of them (the demo's, if it was built)
	go test -count 1 -run AtHand ./internal/sparkconf ./operators/spark/submission $(UPDATE)

bench: build ## compare the scheduler with others, one round (half an hour)
	$(BENCH) --scenario $(GANG_SCENARIOS),spark-burst,loop --out $(BENCH_OUT)

bench-quick: build ## the same in a few minutes: gangs of 20 alone
	$(BENCH) --scenario pre-created/100x20,concurrent/100x20 --out $(BENCH_OUT)-quick

# What is compared has Go's own settings.
BENCH := env -u GOGC -u GOMEMLIMIT bin/muster-bench run --rounds 1
GANG_SCENARIOS := pre-created/100x20,pre-created/4x500,pre-created/1x2000,concurrent/100x20,concurrent/4x500,concurrent/1x2000
BENCH_OUT := bench-results

build: ## build the binaries into bin/
	@mkdir -p bin/.built
	@# It links nothing anew whose outcome is there.
	@hack/go-build -ldflags "$(LDFLAGS)" -o bin/.built/ ./cmd/...
	@# One that is as it was keeps its time, so that go test knows what has not changed.
	@for new in bin/.built/*; do cmp -s $$new bin/$${new##*/} || cp --remove-destination $$new bin/; done

lint: $(LINT) ## vet, and check formatting, style and who may import whom
	$(LINT) run ./...

# build-tool builds a command of the tool's own module, once a version.
define build-tool
@mkdir -p $(@D)
@echo "building $(@F) (once)"
@cd $(<D) && ../../hack/go-build -o $@ $(1)
@touch $@
endef

$(LINT): tools/golangci-lint/go.mod
	$(call build-tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

$(TESTS): tools/gotestsum/go.mod
	$(call build-tool,gotest.tools/gotestsum)

setup: ## install what a bare Debian 12 machine lacks
	@hack/install-debian.sh

clean: ## remove what was built here; caches outside of the checkout stay
	rm -rf bin
