# Makes the C string NGX_REDIS_RECORD_LUA of record.lua, one literal a line.
# Comment lines and indentation do not travel to Redis.

1i\
\
/* made from record.lua */\
\
#define NGX_REDIS_RECORD_LUA \\
$a\
    ""
s/^[ 	]*//
/^--/d
/^$/d
s/\\/\\\\/g
s/"/\\"/g
s/.*/    "&\\n" \\/
