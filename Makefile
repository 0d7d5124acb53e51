# `make demo` and `make test` do all the set-up by themselves on a bare Debian 12 or Ubuntu.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

# What each is for: the PC/SC daemon and its virtual reader; what pyscard and evdev are built with;
# zbar for pyzbar; what opencv-python needs to import; readers and printers on USB.
APT := pcscd vsmartcard-vpcd gcc python3-dev python3-venv libpcsclite-dev swig linux-libc-dev \
	libzbar0 libgl1 libglib2.0-0 libusb-1.0-0
# Programs of others that look at our simulated readers, and a font for receipts in Chinese.
APT_TEST := pcsc-tools opensc libccid fonts-wqy-zenhei

.PHONY: setup demo test check bench fuzz coverage pictures lock install-udev clean

setup: $(READY)

$(READY): requirements.txt requirements-build.txt pyproject.toml
	@if ! dpkg -s $(APT) >/dev/null 2>&1; then \
		echo "Installing system packages: $(APT)"; \
		$(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(APT); \
	fi
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned Python packages into $(VENV)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(BIN)/tillside demo

test: setup
	@if ! dpkg -s $(APT_TEST) >/dev/null 2>&1; then \
		echo "Installing system packages for the tests: $(APT_TEST)"; \
		$(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(APT_TEST); \
	fi
	@$(BIN)/python -m pytest -n 3

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_layers.py

bench: setup
	@$(BIN)/python -m tests.benchmarks

# For how long each target, in seconds.
SECONDS ?= 60
fuzz: setup
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

# Branch coverage of the EMV code by the tests that are for it; fails below 95%.
coverage: setup
	@$(BIN)/python -m pytest -q tests/emv tests/fuzz tests/terminal/replay tests/terminal/test_emv_decode.py tests/simulators/cards \
		--cov=emv --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=95

# The READMEs' pictures and diagrams; needs chromium.
pictures: setup
	@$(BIN)/python -m tests.pictures.make
	@$(BIN)/python -m tests.pictures.attempt_diagram
	@$(BIN)/python -m tests.pictures.kernel_diagrams

lock: setup
	@printf 'pip\nsetuptools\nwheel\nhatchling\neditables\n' | $(BIN)/pip-compile --quiet --generate-hashes \
		--allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header \
		--annotation-style=line -o requirements-build.txt -
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-header --strip-extras --annotation-style=line --extra dev \
		-o requirements.txt pyproject.toml

# Lets whoever is logged in use the devices, and keeps the kernel's NFC drivers away from readers. In a
# build of an image (DESTDIR) nothing is reloaded.
install-udev:
	$(SUDO) install -D -m 644 udev/70-tillside.rules $(DESTDIR)/etc/udev/rules.d/70-tillside.rules
	$(SUDO) install -D -m 644 udev/tillside-nfc.conf $(DESTDIR)/etc/modprobe.d/tillside-nfc.conf
	@if [ -z "$(DESTDIR)" ]; then \
		$(SUDO) modprobe -r pn533_usb pn533 nfc 2>/dev/null; \
		if [ -e /run/udev/control ]; then \
			$(SUDO) udevadm control --reload && $(SUDO) udevadm trigger --subsystem-match=usb \
				--subsystem-match=tty --subsystem-match=video4linux --subsystem-match=input \
				--subsystem-match=usbmisc; \
		else echo "No udev runs here: the rules count when it does."; fi; \
	fi

clean:
	rm -rf $(VENV) .venv-peers dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzz .coverage
