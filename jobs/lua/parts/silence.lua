-- A worker that has missed its beats: it may be dead, long before its lease says so, and is not given anything new.
local SILENT_MS = 2500

-- `beat` is when it last beat; one of an older release does not say.
local function silent(beat) return beat and now - tonumber(beat) > SILENT_MS end
