# Makes the rest of a macro, a C string, of a Lua text: one literal a line.
# Comment lines and indentation do not travel to Redis.

$a\
    ""
s/^[ 	]*//
/^--/d
/^$/d
s/\\/\\\\/g
s/"/\\"/g
s/.*/    "&\\n" \\/
