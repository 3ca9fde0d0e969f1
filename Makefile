# `make up` deploys the stage `local`; `make up STAGE=alpha` another one.
STAGE ?= local
CARGO ?= cargo
# Given in the environment, it is taken as it is instead of being built.
DEPLOYER ?= target/debug/deployer

.DEFAULT_GOAL := help
.PHONY: help up plan status down deployer test simulate fuzz functions-release interop clients page-tests stores workflows exports tutorial proof site bench-deploy bench-dev bench-page bench-stages bench-gateway bench-chat soak

help:
	@echo "make up|plan|status|down [STAGE=local]   deploy, look, remove"
	@echo "make test                                all tests; needs Rust, a C compiler and make only"
	@echo "make simulate [SEEDS=100000] [FIRST=0]   so many simulated lives of a stage, in release"
	@echo "make fuzz [FUZZ_SECONDS=60]              every fuzz target for so long; see fuzz/README.md"
	@echo "make functions-release                   the functions as AWS gets them, with their sizes"
	@echo "make interop                             the transcript by wscat and Python's websockets"
	@echo "make clients                             every operation by the SDKs' models; CLI, SDKs, Terraform, a browser"
	@echo "make page-tests                          the local cloud's page and the chat's, in headless Chromium"
	@echo "make stores                              the chat's stores, and all of it, on dynalite and moto"
	@echo "make site                                the documents as a site, its links followed; into target/book"
	@echo "make workflows                           GitHub's workflows, linted, and their steps on a local cloud"
	@echo "make tutorial                            docs/TUTORIAL.md as it stands, in an empty home"
	@echo "make exports                             exports of stages, by cfn-lint and Terraform"
	@echo "make proof [SEED=1] [MINUTES=1.5]        the chat with 500 clients, functions killed, connections cut"
	@echo "make bench-deploy [ONLY=ours,boto3]      deploys measured against others; see benches/deploy"
	@echo "make bench-dev [ONLY=tiny,chat] [TURNS=10] from saving to live under dev; see benches/dev"
	@echo "make bench-page [LOADS=10] [EVENTS=10000] the page's first paint, and frames under 10,000 events"
	@echo "make bench-stages [LARGEST=50]           1 to 50 stages up and down under AWS's quotas"
	@echo "make bench-gateway [ONLY=ours] [REPEAT=3] the gateway measured against others; see benches/gateway"
	@echo "make bench-chat [ONLY=fan-out]           large rooms, and the room function against Python; see benches/chat"
	@echo "make soak [MINUTES=30]                   clients that come and go, functions that are killed"

up plan status down: deployer
	@$(DEPLOYER) $@ $(STAGE)

deployer:
ifeq ($(origin DEPLOYER),file)
	@$(CARGO) build --package deployer
endif

# The functions are tested by an invocation of their own, as they are built: the
# features others ask of shared crates must not reach them.
FUNCTIONS = --package chat --package connect --package disconnect --package default --package room --package secrets --package authorize --package echo

test:
	$(CARGO) test $(FUNCTIONS)
	$(CARGO) test --workspace $(subst --package,--exclude,$(FUNCTIONS))

# Seeds of the simulation beyond those that `make test` runs. A seed that fails
# is replayed by `cargo run -p simulation -- replay SEED`.
SEEDS ?= 100000
FIRST ?= 0
simulate:
	$(CARGO) run --quiet --profile simulate --package simulation -- $(SEEDS) $(FIRST)

FUZZ_SECONDS ?= 60
fuzz:
	fuzz/run $(FUZZ_SECONDS)

# In one invocation, as the deployer builds those that a shipped stage has: then they are
# built once.
functions-release:
	$(CARGO) build --release --package connect --package disconnect --package default --package room
	@ls -l target/release/connect target/release/disconnect target/release/default target/release/room

interop: deployer
	tests/interop/run

clients: deployer
	DEPLOYER=$(DEPLOYER) tests/clients/run

page-tests: deployer
	DEPLOYER=$(DEPLOYER) tests/page/run

stores:
	tests/stores/run

site:
	tests/site/run

workflows:
	tests/workflows/run

tutorial:
	tests/tutorial/run

exports: deployer
	DEPLOYER=$(DEPLOYER) tests/export/run

# Without MINUTES as short as it proves something.
proof:
	SEED=$(SEED) MINUTES=$(MINUTES) benches/chat/proof

bench-deploy:
	benches/deploy/run

bench-dev:
	benches/dev/run

bench-page: deployer
	DEPLOYER=$(DEPLOYER) benches/page/run

bench-stages:
	ONLY=stages benches/deploy/run

bench-gateway:
	benches/gateway/run

bench-chat:
	benches/chat/run

# What is left after half an hour; fails when anything is.
soak:
	benches/gateway/soak --minutes $(or $(MINUTES),30)
