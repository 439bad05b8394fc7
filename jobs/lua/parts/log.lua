-- The event that says in a job's log that what came before is void: another attempt begins its answer anew.

local RESTARTED = 'respool:attempt.restarted'

local function restarted(attempt) return '{"type":"' .. RESTARTED .. '","attempt":' .. int(attempt) .. '}' end
