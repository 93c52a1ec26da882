
# the script of a record, as a C string

cat << END                                                    >> $NGX_MAKEFILE

$NGX_OBJS/ngx_redis_record_lua.h:	$ngx_addon_dir/src/redis/record.lua \\
	$ngx_addon_dir/tools/record_lua.sed
	sed -f $ngx_addon_dir/tools/record_lua.sed \\
		$ngx_addon_dir/src/redis/record.lua > \$@.tmp
	mv \$@.tmp \$@

END
