# SPDX-License-Identifier: Apache-2.0
# Read by the shell scripts of this folder: the causes for which a first run stops, each said in a line or
# two with one command to copy. All but list_proxies end the script with 1 when the cause is theirs.

give_up() { # give_up TEXT COMMAND
	printf '%s\n  %s\n' "$1" "$2" >&2
	exit 1
}

# The proxies of the environment, as assignments: apt knows only the names in small letters.
list_proxies() {
	for name in http_proxy https_proxy no_proxy; do
		capital=$(echo "$name" | tr '[:lower:]' '[:upper:]')
		eval "value=\${$name-\${$capital-}}"
		[ -z "$value" ] || printf '%s=%s ' "$name" "$value"
	done
}

explain_network() { # explain_network LOG WHAT: LOG is what apt or npm said
	if grep -qiE 'not valid yet|is expired|EXPKEYSIG|not yet (valid|activated)|CERT_(NOT_YET_VALID|HAS_EXPIRED)' "$1"; then
		give_up "$2, because this machine's clock is wrong: it says $(date -u '+%Y-%m-%d %H:%M UTC').
Set it as root, then run this again:" \
			"timedatectl set-ntp true || date -u -s 'YYYY-MM-DD HH:MM'"
	fi
	if grep -qE 'SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|certificate is NOT trusted' "$1"; then
		give_up "$2: a certificate of this network is not known to this machine. With its file:" \
			"sudo cp FILE.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates &&
  NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt ./run"
	fi
	if grep -qE 'resolv|onnect|unreachable|imed out|ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH' "$1"; then
		proxies=$(list_proxies | sed 's|//[^/@]*@|//***@|g')
		give_up "$2: no network${proxies:+ through ${proxies% }}.
$(grep -m 1 -E '^(E:|W:|npm (ERR!|error) .*(E[A-Z]|request))' "$1" | cut -c 1-200)
Once there is one, run this again. If it needs a proxy (another one):" \
			"http_proxy=http://HOST:PORT https_proxy=http://HOST:PORT ./run"
	fi
}

explain_apt() { # explain_apt LOG SUDO PACKAGES
	if grep -q 'dpkg was interrupted' "$1"; then
		give_up "An earlier installation was interrupted. End it, then run this again:" "$2dpkg --configure -a"
	fi
	if grep -qE "don't have enough free space|No space left" "$1"; then
		give_up "The disk is full. What apt keeps of earlier downloads can go:" "$2apt-get clean"
	fi
	give_up "apt does not install them without removing or changing other packages ($1).
Look at what it would do, agree or not, then run this again:" \
		"$2apt-get install --no-install-recommends$3"
}

explain_unknown() { # explain_unknown SUDO PACKAGES
	if grep -qs '^ID=ubuntu' /etc/os-release && ! LC_ALL=C apt-cache policy | grep -q '/universe '; then
		give_up "Ubuntu has these in \"universe\", which is off here:$2. Switch it on, then run this again:" \
			"$1apt-get install -y software-properties-common && $1add-apt-repository -y universe"
	fi
	give_up "apt knows no package of these names here:$2. All others are installed.
Put the names that this system has into tools/packages.txt; what may fit:" \
		"apt-cache search --names-only '$(echo "$2" | sed 's/^ //; s/lib//g; s/-dev//g; s/ /|/g')'"
}

# Both come as Python packages with all they need, wherever the system's own are too old.
explain_too_old() { # explain_too_old WHAT PYTHON_PACKAGE
	give_up "$1 This brings a newer one into .deps/ and starts with it:" \
		"sudo apt-get install -y python3-venv && python3 -m venv .deps/python && .deps/python/bin/pip install $2 &&
  PATH=\"\$PWD/.deps/python/bin:\$PATH\" ./run"
}

need_version() { # need_version NAME NEEDED FOUND WHERE PYTHON_PACKAGE
	printf '%s\n%s\n' "$2" "$3" | sort -V -C ||
		explain_too_old "$1 $2 or newer is needed, $4 is $3." "$5"
}

need_cmake() {
	need_version CMake 3.25 "$(cmake --version | sed -n '1s/[^0-9]*//p')" "$(command -v cmake)" cmake
}

# A folder that an earlier `sudo ./run` made is root's.
need_own_folders() { # need_own_folders ROOT
	for folder in "$1" "$1/build" "$1/build/release" "$1/node_modules" "$1/.deps"; do
		[ ! -e "$folder" ] || [ -w "$folder" ] ||
			give_up "$folder cannot be written to by $(id -un). Make all of it yours:" \
				"sudo chown -R $(id -un) '$1'"
	done
}
