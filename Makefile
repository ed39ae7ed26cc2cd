# What there is to do here: make help

GO      ?= go
PREFIX  ?= /usr
DESTDIR ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || cat VERSION 2>/dev/null || echo unknown)

# The tools of "make check" are no dependencies of the program: go.mod does not
# know them.
GOFUMPT  := $(GO) run mvdan.cc/gofumpt@v0.12.0
LINT     := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 5s

.DEFAULT_GOAL := build
.PHONY: help build run test test-long check bench fuzz install setup clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

build: ## build/ldirectord, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o build/ldirectord ./cmd/ldirectord

run: build ## the program at work on this machine, without root and without IPVS
	@$(GO) build -o build/demo ./internal/demo
	@build/demo build/ldirectord

test: setup ## all tests; as root the kernel ones too, in user-mode Linux
	$(GO) test -timeout 60m $(TESTFLAGS) ./...

test-long: setup ## promises that take minutes: the tests TestLong... behind the build tag "long"
	$(GO) test -tags long -run '^TestLong' -timeout 0 $(TESTFLAGS) ./...

check: setup ## format, vet, linters, import arrows, race detector
	@echo gofumpt; out=$$($(GOFUMPT) -l .) && test -z "$$out" || { echo "not formatted by gofumpt:" $$out; exit 1; }
	$(GO) vet ./... && $(GO) vet -tags long ./...
	@echo go fix; out=$$($(GO) fix -diff ./...); test -z "$$out" || { echo "$$out"; exit 1; }
	$(LINT) run ./...
	LDIRECTORD_LAB=off $(GO) test -race -timeout 60m $(TESTFLAGS) ./...

bench: ## benchmarks, 15 min; as root beside keepalived and Perl ldirectord, into docs/benchmarks.md
	$(GO) test -run '^$$' -bench . -benchmem -benchtime 200ms $$($(GO) list ./... | grep -v -e internal/bench -e internal/acceptance)
	$(GO) test -run '^$$' -bench Programs -benchtime 1x -timeout 0 ./internal/bench -report $(CURDIR)/docs/benchmarks.md

fuzz: ## every fuzz target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$f"; \
			$(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

setup: ## as root: install the Debian packages that the tests need
	@$(GO) run ./internal/lab/setup

install: build ## into DESTDIR, below PREFIX; the configuration is left alone
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/share/doc/ldirectord $(DESTDIR)/etc/ha.d $(DESTDIR)/etc/logrotate.d
	install -m 755 build/ldirectord $(DESTDIR)$(PREFIX)/sbin/ldirectord
	for unit in ldirectord.service ldirectord-director.service ldirectord-realserver@.service; do \
		sed 's|/usr/sbin|$(PREFIX)/sbin|' packaging/$$unit >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit || exit 1; \
	done
	install -m 644 packaging/logrotate $(DESTDIR)/etc/logrotate.d/ldirectord
	install -m 644 ldirectord.cf.example README.md LICENSE CHANGELOG.md docs/*.md docs/*.svg $(DESTDIR)$(PREFIX)/share/doc/ldirectord
	install -d $(DESTDIR)$(PREFIX)/share/doc/ldirectord/monitoring
	install -m 644 docs/monitoring/* $(DESTDIR)$(PREFIX)/share/doc/ldirectord/monitoring

clean: ## remove what was built
	rm -rf build
