# The segments gateway: an nginx module.
#
#   make                  builds build/ngx_http_segments_module.so for the
#                         installed nginx (Debian: nginx-dev)
#   make NGINX_SRC=dir    for the nginx whose sources are in dir; FLAGS are then
#                         the arguments that this nginx was configured with
#   make install          puts it among nginx's modules; DESTDIR, MODULES_DIR
#   make deb              builds a Debian package, in build/deb
#   make clean
#
# BUILD names another folder than build, CC another compiler, CFLAGS and
# LDFLAGS add to what is handed to it.

MODULE      := ngx_http_segments_module.so

BUILD       ?= build
CC          := cc

# As one program, where the compiler and its linker can: what small files call
# of each other is inlined.  And what nginx and libraries have is called without
# a stub in between: a module's symbols are bound when it is loaded.
LTO         := $(shell echo | $(CC) -flto=auto -shared -fPIC -x c - \
               -o /dev/null 2> /dev/null && echo -flto=auto)

CFLAGS      := -g -O2 -fno-plt $(LTO)
LDFLAGS     := $(LTO)

PACKAGED    := /usr/share/nginx/src
NGINX_SRC   := $(PACKAGED)
FLAGS       := --with-compat --with-debug --with-http_ssl_module \
               --with-http_v2_module --with-threads

# nginx's own headers are clean under -Wall -Wextra: nginx is built with both,
# and with -Wno-unused-parameter, since its callbacks have fixed parameters.
WARNINGS    := -Wall -Wextra -Wno-unused-parameter -Werror

TOP         := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
OUT         := $(abspath $(BUILD))
OBJS        := $(OUT)/objs
SOURCES     := $(sort $(wildcard $(addprefix $(TOP)/src/*/,*.[ch] */*.[ch])))

# nginx-dev keeps the package's own arguments in a bash array
CONF_FLAGS  := $(wildcard $(NGINX_SRC)/conf_flags)
CONFIGURE   := $(firstword $(wildcard $(NGINX_SRC)/configure \
               $(NGINX_SRC)/auto/configure))
MODULES_DIR  = $(or $(shell sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p' \
               $(CONF_FLAGS) /dev/null),/usr/lib/nginx/modules)


all: $(OBJS)/Makefile
	@$(MAKE) --no-print-directory -C $(NGINX_SRC) -f $(OBJS)/Makefile modules
	@cmp -s $(OBJS)/$(MODULE) $(OUT)/$(MODULE) \
		|| cp $(OBJS)/$(MODULE) $(OUT)/$(MODULE)


$(OBJS)/Makefile: $(TOP)/config $(TOP)/config.make $(OUT)/inputs
	@echo "configuring for $(NGINX_SRC)"
	@cd $(NGINX_SRC) && bash -c 'NGX_CONF_FLAGS=($(FLAGS)); \
		$(if $(CONF_FLAGS),. ./conf_flags;) \
		$(CONFIGURE) "$${NGX_CONF_FLAGS[@]}" --builddir=$(OBJS) \
			--with-cc=$(CC) --with-cc-opt="$(CFLAGS) $(WARNINGS)" \
			--with-ld-opt="$(LDFLAGS)" \
			--add-dynamic-module=$(TOP)' > $(OUT)/configure.log 2>&1 \
		|| { rm -f $@; tail -n 20 $(OUT)/configure.log >&2; exit 1; }


# What a new configuration is needed for besides the files above: another
# nginx, compiler or option, and a source file that came or went.

$(OUT)/inputs: check FORCE
	@mkdir -p $(OBJS)
	@{ echo '$(NGINX_SRC) $(CC) $(CFLAGS) $(LDFLAGS) $(FLAGS)'; \
		cat $(NGINX_SRC)/src/core/nginx.h $(CONF_FLAGS); \
		printf '%s\n' $(SOURCES); } > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi


check:
ifeq ($(CONFIGURE),)
	@echo "There are no nginx sources in $(NGINX_SRC)." \
		"Install nginx-dev (Debian), or name a source tree of nginx:" \
		"make NGINX_SRC=dir" >&2
	@exit 1
endif
	@command -v bash $(CC) > /dev/null || { \
		echo "bash and a C compiler are needed" \
			"(Debian: build-essential)" >&2; exit 1; }


install:
	@test -f $(OUT)/$(MODULE) || { echo "run make first" >&2; exit 1; }
	install -d $(DESTDIR)$(MODULES_DIR)
	install -m 644 $(OUT)/$(MODULE) $(DESTDIR)$(MODULES_DIR)


deb:
	@$(TOP)/tools/deb $(OUT)/deb


clean:
	rm -rf $(OBJS) $(OUT)/inputs $(OUT)/configure.log $(OUT)/$(MODULE) \
		$(OUT)/nginx.h*


FORCE:

.PHONY: all check install deb clean FORCE
