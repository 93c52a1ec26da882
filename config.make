# the scripts, each as a C string, which one source has

# as ./config
# shellcheck shell=sh disable=SC2006,SC2018,SC2019,SC2086,SC2154

for ngx_segments_lua in claim drop free limit renew settle spend; do

    ngx_segments_src=$ngx_addon_dir/src/record/$ngx_segments_lua.lua
    ngx_segments_sed=$ngx_addon_dir/tools/lua.sed
    ngx_segments_macro=NGX_REDIS_`echo $ngx_segments_lua | tr a-z A-Z`_LUA

    cat << END                                                >> $NGX_MAKEFILE

$NGX_OBJS/ngx_redis_${ngx_segments_lua}_lua.h:	$ngx_segments_src \\
	$ngx_segments_sed
	echo '#define $ngx_segments_macro \\' > \$@.tmp
	sed -f $ngx_segments_sed $ngx_segments_src >> \$@.tmp
	mv \$@.tmp \$@

$NGX_OBJS/addon/record/ngx_redis_scripts.o: \\
	$NGX_OBJS/ngx_redis_${ngx_segments_lua}_lua.h

END

done
