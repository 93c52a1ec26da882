-- Stands before claim.lua where a create has no limits.

local proof = ARGV[1] .. ARGV[2]:sub(1, 8)
local limits_take, limits_read, limits_spend, limits_tell, limits_done,
      limits_unreadable
