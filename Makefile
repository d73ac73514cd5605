# RideShare. The first target prints what there is.

GO      ?= go
LINT    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULN    := golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: rotate-secrets docs promtool services chromium pictures up up-ha down logs ps images compiler help run test test-fast failover partitions attack chaos lint vuln sbom fuzz bench-micro bench cost bench-growth wrk build clean deps \
	functions sam sam-validate deploy localstack localstack-down shellcheck \
	build-UsersFunction build-RidesFunction build-OrchestratorFunction

help: ## Print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-15s %s\n", $$1, $$2}'

run: build ## Run the whole system in one process on http://127.0.0.1:8080
	@bin/rideshare run

build: deps ## Build the binaries into bin/
	$(GO) build -trimpath -o bin/ ./cmd/...

# Packages whose tests start containers: one after the other, as each of them measures or waits.
CONTAINERS := ./internal/dockertest/... ./internal/amqp/... ./internal/bus/rabbitmq/... ./internal/replog/rabbitmq/... \
	./internal/registry/zookeeper/... ./internal/store/mysql/... ./internal/pairs/docker/... ./e2e/containers/... ./e2e/lambda/...
# In a browser, which has to be there.
BROWSER := ./e2e/browser
OTHERS = $$($(GO) list ./... | grep -vxF "$$($(GO) list $(CONTAINERS) $(BROWSER))")

test: deps compiler shellcheck services promtool chromium wrk ## Run all tests: in short with the race detector, then the measured ones, those in a browser, and those on containers
	$(GO) vet ./...
	CGO_ENABLED=1 $(GO) test -race -short $(OTHERS)
	$(GO) test -count=1 -timeout 20m -run 'TestSimulation|TestMutants' ./workers -schedules 20000
	$(GO) test -count=1 -v -p 1 -timeout 20m ./e2e/binary ./e2e/failover
	$(GO) test -count=1 -v -timeout 20m $(BROWSER)
	$(GO) test -count=1 -p 1 -timeout 45m $(CONTAINERS)

test-fast: deps ## Run the tests that need no container and no browser, in short, without the race detector
	$(GO) test -short $(OTHERS)

failover: build ## Measure faults, failover and switchover in containers, into docs/measurements.md (about 12 minutes)
	$(GO) test -count=1 -v -timeout 30m -run 'TestFailover|TestContainers|TestHA' ./e2e/containers -kills 20 -outage 20s -into $(CURDIR)/docs/measurements.md

partitions: build ## Cut the nodes of `make up-ha` off from each other in every way, for 15 s and for 60 s, into docs/measurements.md (about 45 minutes)
	$(GO) test -count=1 -v -timeout 90m -run TestPartitions ./e2e/containers -cut all -cuts 15s,60s -into $(CURDIR)/docs/measurements.md

MINUTES ?= 10
SEED    ?= 0
FAULTS  ?= 0
HA      ?= false
attack: build ## Attack the system in containers as hostile callers do, and time honest ones, into docs/measurements.md (about 5 minutes)
	$(GO) test -count=1 -v -timeout 30m -run TestAttacks ./e2e/containers -into $(CURDIR)/docs/measurements.md

chaos: build ## Break every part of the system in containers for MINUTES under load, or until there were FAULTS, by the plan of SEED, into docs/measurements.md; with HA=true three nodes of RabbitMQ and ZooKeeper each, and the network between them
	@mkdir -p bin/chaos
	exec $(GO) test -count=1 -v -timeout 0 -run TestCampaign ./e2e/chaos -minutes $(MINUTES) -seed $(SEED) -faults $(FAULTS) -ha=$(HA) \
		-folder $(CURDIR)/bin/chaos -into $(CURDIR)/docs/measurements.md

up: build ## Run the system in containers on http://127.0.0.1:8080
	@deploy/up

up-ha: build ## The same with three nodes of RabbitMQ and ZooKeeper each, and two watchers
	@RIDESHARE_HA=true deploy/up

down: ## End the containers; the data stays
	@deploy/down

rotate-secrets: deps ## Replace all tokens, and the key of users' tokens, while the system runs
	@deploy/rotate-secrets

sam: ## Run the functions under `sam local start-api` on port 3000, on the containers of `make up`
	@deploy/sam

sam-validate: ## Check template.yaml and deploy/aws/data-plane.yaml with `sam validate --lint`
	@deploy/sam --validate

deploy: ## Deploy to AWS: the data plane, then the functions (guided)
	@deploy/aws/deploy

localstack: ## Run the functions in LocalStack on port 4566, on the containers of `make up`
	@deploy/localstack

localstack-down: ## End LocalStack; `make down` ends the rest
	@deploy/localstack --down

logs: ## Follow the logs of the containers
	@deploy/compose logs -f --tail 50

ps: ## List the containers, with the pairs
	@docker ps -a --filter label=com.docker.compose.project=$${COMPOSE_PROJECT_NAME:-rideshare}

images: deps ## Build the images
	@deploy/images/ensure mysql rabbitmq zookeeper
	@deploy/images/ours gateway users rides orchestrator worker watcher

sbom: build images ## Write bills of materials (CycloneDX) of our programs, and of the images that are on this machine, into bin/sbom
	$(GO) run ./deploy/sbom -into bin/sbom bin/gateway bin/users bin/rides bin/orchestrator bin/worker bin/watcher bin/rideshare \
		$$(deploy/images/ensure --name mysql rabbitmq zookeeper | sed 's/^/image:/') \
		image:rideshare/gateway:dev image:rideshare/users:dev image:rideshare/rides:dev image:rideshare/orchestrator:dev image:rideshare/worker:dev image:rideshare/watcher:dev

functions: deps ## Build the functions for Lambda into bin/functions/*.zip
	@set -e; for name in Users Rides Orchestrator; do \
		folder=bin/functions/$$name; \
		$(MAKE) --no-print-directory build-$${name}Function ARTIFACTS_DIR=$$folder; \
		$(GO) run ./deploy/zip $$folder/bootstrap bin/functions/$$name.zip; \
	done

# `sam build` runs these. They build for ARCHITECTURE, as template.yaml names it; a GOARCH in the
# environment goes before it. The tag leaves out Lambda's old protocol, which needs net/rpc.
ARCHITECTURE ?= arm64
GOARCH ?= $(if $(filter x86_64,$(ARCHITECTURE)),amd64,$(ARCHITECTURE))
bootstrap = GOOS=linux GOARCH=$(GOARCH) CGO_ENABLED=0 $(GO) build -tags lambda.norpc -trimpath -ldflags "-s -w" \
	-o "$(or $(ARTIFACTS_DIR),$(error ARTIFACTS_DIR is not set: it is the folder that gets the program))/bootstrap"

build-UsersFunction: deps
	$(bootstrap) ./cmd/users

build-RidesFunction: deps
	$(bootstrap) ./cmd/rides

build-OrchestratorFunction: deps
	$(bootstrap) ./cmd/orchestrator

pictures: deps chromium ## Make the pictures of the pages in docs/pictures anew
	$(GO) test -count=1 -run TestEverybodyCan $(BROWSER) -screenshots

lint: deps ## Run the linters
	$(GO) run $(LINT) run ./...

vuln: deps ## Look for known vulnerabilities, where their database can be reached
	@GOBIN=$(CURDIR)/bin $(GO) install $(VULN) || { echo "not checked: govulncheck cannot be installed"; exit 0; }; \
	bin/govulncheck ./...; code=$$?; case $$code in \
		0) ;; \
		3) echo "vulnerabilities were found: see above"; exit 1 ;; \
		*) echo "not checked: govulncheck did not finish (exit code $$code), see above" ;; \
	esac

fuzz: deps ## Fuzz everything that parses, FUZZTIME each
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

BASE ?= HEAD
bench-micro: deps services ## Compare the micro-benchmarks of the hot spots with those of the commit BASE, by benchstat (some 10 minutes)
	bench/micro $(BASE)

bench: build wrk ## Measure beside other systems, into docs/measurements.md and docs/pictures (about 20 minutes)
	$(GO) build -o bin/bench ./bench
	@bin/bench -publish

cost: build wrk ## Measure what a request costs each part of the system, in processor time and wake-ups, into docs/measurements.md (about 6 minutes)
	$(GO) build -o bin/bench ./bench
	@bin/bench -cost -publish

bench-growth: build wrk ## Measure what 1,000, 100,000 and 1,000,000 rides cost, into docs/measurements.md
	$(GO) build -o bin/bench ./bench
	@bin/bench -growth -publish

docs: deps ## Generate the tables of docs/configuration.md from the structs
	@RIDESHARE_UPDATE_DOCS=true $(GO) test -count=1 -p 1 -run TestConfigurationIsDocumented ./cmd/...

clean: ## End the containers, delete their data, and remove what was built (./data of make run stays)
	@if command -v docker >/dev/null; then deploy/down --volumes; fi
	rm -rf bin

# A download that breaks off is begun again, and another program's lock waited for.
APT := apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300

# The images that the tests on containers need. Without an engine those tests say that they are
# skipped; with CI=true they fail.
services:
	@if docker version >/dev/null 2>&1; then deploy/images/ensure mysql rabbitmq zookeeper prometheus; fi

# The browser that the pages are tested in. Without one those tests say that they are skipped; with
# CI=true they fail.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
		echo "installing Chromium, in which the pages are tested"; \
		$(APT) update -q && $(APT) install -qy --no-install-recommends chromium; } || \
		echo "the pages are not tested in a browser: install the package chromium"

# The race detector needs a C compiler.
compiler:
	@command -v $${CC:-gcc} >/dev/null || { \
		echo "installing a C compiler, which the race detector needs"; \
		$(APT) update -q && $(APT) install -qy --no-install-recommends gcc libc6-dev; } || { \
		echo "'make test' needs a C compiler: install gcc ('make test-fast' does without)"; exit 1; }

# The tests check the shell scripts with it. Where it cannot be installed they say that they are
# skipped; with CI=true they fail.
shellcheck:
	@command -v shellcheck >/dev/null || ! command -v apt-get >/dev/null || { \
		echo "installing shellcheck, which checks the scripts"; \
		$(APT) update -q && $(APT) install -qy --no-install-recommends shellcheck; } || \
		echo "shellcheck is not there and cannot be installed: the scripts are not checked"

# Prometheus' checker, for the tests of the alert rules: taken out of Debian's package, whose server is
# not wanted here. Without it those tests say that they are skipped; with CI=true they fail.
promtool:
	@command -v promtool >/dev/null || [ -x bin/promtool ] || { \
		echo "fetching promtool, which the alert rules are tested with"; \
		mkdir -p bin && folder=$$(mktemp -d) && $(APT) update -q && \
		(cd $$folder && $(APT) -q download prometheus && dpkg-deb -x prometheus_*.deb .) && \
		mv $$folder/usr/bin/promtool bin/ && rm -rf $$folder; } || \
		echo "promtool cannot be had: the alert rules are not tested"

# The load generator of the measurements (docs/decisions/0014-load-generator.md). Without it its tests
# say that they are skipped; with CI=true they fail.
wrk:
	@command -v wrk >/dev/null || { \
		echo "installing wrk, which the measurements put their load on with"; \
		$(APT) update -q && $(APT) install -qy --no-install-recommends wrk; } || \
		echo "wrk cannot be installed: there are no measurements beside other systems"

deps:
	@command -v $(GO) >/dev/null || { \
		echo "Go 1.26 or newer is needed and 'go' is not on PATH: install it from https://go.dev/dl"; exit 1; }
