# What there is to do here: make help

GO      ?= go
PREFIX  ?= /usr
DESTDIR ?=
# TAGS=nooracle leaves the Oracle check out: 18 MB instead of 33.
TAGS    ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || cat VERSION 2>/dev/null || echo unknown)

# The tools of "make check" are no dependencies of the program: go.mod does not
# know them.
GOFUMPT  := $(GO) run mvdan.cc/gofumpt@v0.12.0
LINT     := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
NFPM     := $(GO) run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
CYCLONEDX := $(GO) run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0
# The date of the manual pages; today without git.
DATE    ?= $(shell git log -1 --format=%cs 2>/dev/null)
MANPAGES ?= build/man
FUZZTIME ?= 10s
FUZZSUM ?= 0
CHAOS    ?= 100000
KERNEL   ?= 2000
SEED     ?= 0

.DEFAULT_GOAL := build
.PHONY: help build man run test test-long test-ha test-chaos test-bare check bench fuzz fuzz-original install uninstall packages setup clean toolchain

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 15

# Says in one sentence what the go command would say in many, or not at all.
toolchain:
	@need=go$$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod); \
	have=$$($(GO) env GOVERSION 2>/dev/null) || have=$$(cd / && $(GO) env GOVERSION 2>/dev/null) || have=; \
	[ "$$(printf '%s\n' $$need $$have | sort -V | head -n 1)" = $$need ] && [ -n "$$have" ] || { \
		echo "ldirectord is built with Go $${need#go} or newer; \"$(GO)\" is $${have:-not installed}." >&2; exit 1; }

build: toolchain man ## build/ldirectord, one static binary, and its manual pages
	CGO_ENABLED=0 $(GO) build -trimpath -tags '$(TAGS)' -ldflags '-s -w -X main.version=$(VERSION)' -o build/ldirectord ./cmd/ldirectord

man: toolchain ## build/man: ldirectord.8 and ldirectord.cf.5, from the rows of commands and directives
	@$(GO) run -tags nooracle ./internal/manual -date '$(DATE)' '$(MANPAGES)'

run: build ## the program at work on this machine, without root and without IPVS
	@$(GO) build -o build/demo ./internal/demo
	@build/demo build/ldirectord

test: setup ## all tests; as root the kernel ones too, in user-mode Linux
	$(GO) test -timeout 60m $(TESTFLAGS) ./...

test-long: setup ## promises that take minutes: the tests TestLong... behind the build tag "long"; the race detector on all that needs no kernel
	$(GO) test -tags long -run '^TestLong' -timeout 0 $(TESTFLAGS) ./...
	LDIRECTORD_LAB=off $(GO) test -race -timeout 0 $(TESTFLAGS) ./...

test-ha: setup ## several directors: fleets behind BIRD, FRR and GoBGP, pairs under keepalived and Pacemaker: the tests TestHA... behind the build tag "ha", 20 min
	$(GO) test -tags ha -run '^TestHA' -timeout 0 $(TESTFLAGS) ./internal/acceptance

test-chaos: setup ## random events against a model: CHAOS=1000000 of them in memory, KERNEL=10000 on a kernel, SEED= to replay
	$(GO) test -v -count=1 -timeout 0 ./internal/chaos -chaos.events=$(CHAOS) -chaos.kernel=$(KERNEL) -chaos.seed=$(SEED)

test-bare: toolchain ## the README's two commands in a bare Debian root, as root and as a normal user; takes root
	.ci/bare

check: toolchain ## format, vet, linters, import arrows, race detector on the tests of -short
	@$(GO) run ./internal/lab/setup race
	@echo gofumpt; out=$$($(GOFUMPT) -l .) && test -z "$$out" || { echo "not formatted by gofumpt:" $$out; exit 1; }
	$(GO) vet ./... && $(GO) vet -tags long ./... && $(GO) vet -tags ha ./internal/acceptance && $(GO) vet -tags nooracle ./checker ./internal/cli
	@echo go fix; out=$$($(GO) fix -diff ./...) && test -z "$$out" || { echo "$$out"; exit 1; }
	$(LINT) run ./...
	$(GO) test -race -short -timeout 60m $(TESTFLAGS) ./...

bench: toolchain ## benchmarks, 15 min; as root beside keepalived and Perl ldirectord, into docs/benchmarks.md
	pkgs=$$($(GO) list ./...) && $(GO) test -run '^$$' -bench . -benchmem -benchtime 200ms \
		$$(echo "$$pkgs" | grep -v -e internal/bench -e internal/acceptance)
	$(GO) test -run '^$$' -bench Wire -benchtime 5x -timeout 0 ./internal/bench
	$(GO) test -run '^$$' -bench Programs -benchtime 1x -timeout 0 ./internal/bench -report $(CURDIR)/docs/benchmarks.md

fuzz: toolchain ## every fuzz target for FUZZTIME, 10s or 1000x, and on until FUZZSUM executions together, with their count
	@$(GO) run ./internal/fuzzall -go '$(GO)' -time $(FUZZTIME) -sum $(FUZZSUM)

fuzz-original: toolchain ## made-up files, read here and by Perl ldirectord, where it is installed, for FUZZTIME
	$(GO) test -tags long -count 1 -run '^TestLongOriginal' -timeout 0 -v ./internal/original -original.time $(FUZZTIME)

setup: toolchain ## as root: install the Debian packages that the tests need
	@$(GO) run ./internal/lab/setup

install: ## what lies in build/ to DESTDIR, below PREFIX; the configuration is left alone
	@[ -x "$${PROGRAM:-build/ldirectord}" ] || $(MAKE) --no-print-directory build
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' FORCE='$(FORCE)' packaging/install

uninstall: ## remove what make install has installed; the configuration stays
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' FORCE='$(FORCE)' packaging/install -u

packages: toolchain ## build/packages: deb and rpm, amd64 and arm64, with checksums and bill of materials
	@GO='$(GO)' NFPM='$(NFPM)' CYCLONEDX='$(CYCLONEDX)' VERSION='$(VERSION)' packaging/build

clean: ## remove what was built
	rm -rf build
