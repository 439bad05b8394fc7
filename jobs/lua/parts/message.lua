-- Celery messages, which carry ids to the queue of one process.

-- Sends the ids in messages of at most 64; `template` is a message as JSON whose id, queue and arguments are filled in here.
local function post(process, ids, dispatch, template)
  for first = 1, #ids, 64 do
    local message = cjson.decode(template)
    local id = dispatch .. '-' .. process .. '-' .. first
    local part = {unpack(ids, first, math.min(first + 63, #ids))}
    message.body = '[[' .. cjson.encode(part) .. ',' .. dispatch .. '],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'
    message.headers.id, message.headers.root_id = id, id
    message.properties.correlation_id, message.properties.delivery_tag = id, id
    message.properties.delivery_info.routing_key = worker_queue_key(process)
    redis.call('LPUSH', worker_queue_key(process), cjson.encode(message))
    redis.call('PEXPIRE', worker_queue_key(process), int(DAY))
  end
end
