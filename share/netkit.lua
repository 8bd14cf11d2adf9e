-- Wireshark and tshark: the wire formats of netkit, as netkit-protocol(7) specifies them.
--
--   netkit         the native dialect of chat and push: UDP whose first byte is 0xF5
--   netkit_frame   framed TCP: the port of the preferences, and what begins as it does
--   netkit_plain   the plain dialects of chat and push: the ports of the preferences
--
-- Where Wireshark does not look by itself: tshark -X lua_script:netkit.lua

local function field(maker, name, label, ...)
  return maker("netkit." .. name, label, ...)
end

-- ---- the native dialect

local TYPES = {[1] = "HELLO", [2] = "COOKIE", [3] = "CONNECT", [4] = "ACCEPT", [5] = "REJECT", [6] = "DATA",
               [7] = "ACK", [8] = "BYE", [9] = "RESET", [10] = "VERSION", [11] = "CHALLENGE", [12] = "MOVE"}
local LEAST = {[1] = 64, [2] = 32, [3] = 38, [4] = 46, [5] = 14, [6] = 25, [7] = 24, [8] = 25, [9] = 12, [10] = 16,
               [11] = 24, [12] = 44}
local KINDS = {[0] = "bundle", [1] = "gap", [2] = "end"}
local REJECTS = {[1] = "full", [2] = "taken", [3] = "bad request", [4] = "forbidden"}
local CHAT_CODES = {[1] = "message", [2] = "joined", [3] = "left", [4] = "renamed", [5] = "present", [6] = "refused",
                    [7] = "synced", [8] = "topic", [65] = "say", [66] = "tell", [67] = "rename", [68] = "who", [69] = "sync",
                    [70] = "kick", [71] = "ban", [72] = "mute", [73] = "set topic"}
local LEFT = {[0] = "quit", [1] = "lease", [2] = "reset", [3] = "kicked", [4] = "banned", [5] = "revoked"}

local native = Proto("netkit", "netkit native dialect")
local f = {
  version = field(ProtoField.uint8, "version", "Version"),
  type = field(ProtoField.uint8, "type", "Type", base.DEC, TYPES),
  flags = field(ProtoField.uint8, "flags", "Flags", base.HEX),
  ping = field(ProtoField.bool, "flags.ping", "Ping: acknowledge at once", 8, nil, 0x01),
  wide = field(ProtoField.bool, "flags.wide", "Wide: the window counts fours", 8, nil, 0x02),
  ecn = field(ProtoField.bool, "flags.ecn", "ECN: sent as ECT(0), or tells of marks", 8, nil, 0x04),
  nonce = field(ProtoField.uint64, "nonce", "Nonce", base.HEX),
  session = field(ProtoField.uint64, "session", "Session", base.HEX),
  cookie = field(ProtoField.bytes, "cookie", "Cookie"),
  padding = field(ProtoField.bytes, "padding", "Padding"),
  first = field(ProtoField.uint32, "first_seq", "First sequence number"),
  lease = field(ProtoField.uint32, "lease", "Lease, ms"),
  code = field(ProtoField.uint16, "code", "Code", base.DEC, REJECTS),
  end_code = field(ProtoField.uint8, "end_code", "Code"),
  text = field(ProtoField.string, "text", "Text", base.UNICODE),
  key = field(ProtoField.bytes, "key", "Key"),
  token = field(ProtoField.bytes, "token", "Token"),
  count = field(ProtoField.uint32, "count", "Count"),
  proof = field(ProtoField.bytes, "proof", "Proof"),
  lowest = field(ProtoField.uint8, "lowest", "Lowest version"),
  highest = field(ProtoField.uint8, "highest", "Highest version"),
  seq = field(ProtoField.uint32, "seq", "Sequence number"),
  ack = field(ProtoField.uint32, "ack", "Acknowledged before"),
  window = field(ProtoField.uint16, "window", "Window"),
  delay = field(ProtoField.uint16, "ack_delay", "Acknowledgement delay, 100 us"),
  marked = field(ProtoField.uint32, "ecn.marked", "Came with a mark"),
  congested = field(ProtoField.uint32, "ecn.congested", "Met congestion"),
  bitmap = field(ProtoField.bytes, "bitmap", "Bitmap of what came"),
  kind = field(ProtoField.uint8, "kind", "Kind", base.DEC, KINDS, 0xf0),
  numbered = field(ProtoField.bool, "numbered", "Numbered", 8, nil, 0x01),
  continues = field(ProtoField.bool, "continues", "Continues a message", 8, nil, 0x02),
  open = field(ProtoField.bool, "open", "Goes on in the next", 8, nil, 0x04),
  record = field(ProtoField.uint64, "record", "Number"),
  entry = field(ProtoField.bytes, "entry", "Message"),
  gap_from = field(ProtoField.uint64, "gap.from", "Missing from"),
  gap_to = field(ProtoField.uint64, "gap.to", "Missing to"),
  gap_count = field(ProtoField.uint32, "gap.count", "Missing without number"),
  stream = field(ProtoField.uint64, "push.stream", "Stream", base.HEX),
  since = field(ProtoField.uint64, "since", "Since"),
  name = field(ProtoField.string, "name", "Name", base.UNICODE),
  first_record = field(ProtoField.uint64, "first_record", "First number"),
  instance = field(ProtoField.uint64, "chat.instance", "Instance", base.HEX),
  room = field(ProtoField.uint64, "chat.room", "Room", base.HEX),
  taken = field(ProtoField.uint64, "chat.taken", "Taken"),
  member = field(ProtoField.uint32, "chat.member", "Member"),
  rate = field(ProtoField.uint32, "chat.rate", "Messages a second"),
  chat_code = field(ProtoField.uint8, "chat.code", "Code", base.DEC, CHAT_CODES),
  chat_flags = field(ProtoField.uint8, "chat.flags", "Flags", base.HEX),
  private = field(ProtoField.bool, "chat.private", "Private", 8, nil, 0x01),
  action = field(ProtoField.bool, "chat.action", "Action", 8, nil, 0x02),
  time = field(ProtoField.absolute_time, "chat.time", "Time"),
  reason = field(ProtoField.uint8, "chat.reason", "Reason", base.DEC, LEFT),
  before = field(ProtoField.string, "chat.before", "Name before", base.UNICODE),
  seconds = field(ProtoField.uint32, "chat.seconds", "Seconds"),
  request = field(ProtoField.uint64, "chat.request", "Request"),
}
native.fields = f
local malformed = ProtoExpert.new("netkit.malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR)
native.experts = {malformed}

-- Which application a session belongs to: by the nonce of its CONNECT, then by the id in its ACCEPT.
local app_of_nonce, app_of_session = {}, {}
function native.init()
  app_of_nonce, app_of_session = {}, {}
end

local function is_chat_connect(payload)
  return payload:len() >= 34 and payload(33, 1):uint() == payload:len() - 34
end

local function add_name(tree, tvb, at, what)
  local size = tvb(at, 1):uint()
  if size == 0 then
    tree:add(what or f.name, tvb(at, 1), "")
  else
    tree:add(what or f.name, tvb(at + 1, size))
  end
  return at + 1 + size
end

local function connect_payload(payload, tree, nonce)
  if payload:len() < 17 or payload(0, 1):uint() ~= 1 then return end
  if is_chat_connect(payload) then
    app_of_nonce[nonce] = "chat"
    tree:add(f.instance, payload(1, 8))
    tree:add(f.room, payload(9, 8))
    tree:add(f.since, payload(17, 8))
    tree:add(f.taken, payload(25, 8))
    add_name(tree, payload, 33)
  else
    app_of_nonce[nonce] = "push"
    tree:add(f.stream, payload(1, 8))
    tree:add(f.since, payload(9, 8))
    if payload:len() > 17 then tree:add(f.name, payload(17)) end
  end
end

local function accept_payload(payload, tree, app)
  if app == "chat" and payload:len() >= 33 then
    tree:add(f.room, payload(1, 8))
    tree:add(f.member, payload(9, 4))
    tree:add(f.first_record, payload(13, 8))
    tree:add(f.taken, payload(21, 8))
    tree:add(f.rate, payload(29, 4))
    if payload:len() > 33 then tree:add(f.text, payload(33)) end
  elseif app == "push" and payload:len() >= 17 then
    tree:add(f.stream, payload(1, 8))
    tree:add(f.first_record, payload(9, 8))
  end
end

local function chat_message(tvb, tree)
  local code = tvb(0, 1):uint()
  tree:add(f.chat_code, tvb(0, 1))
  local at = 1
  if code == 1 then
    local flags = tree:add(f.chat_flags, tvb(1, 1))
    flags:add(f.private, tvb(1, 1))
    flags:add(f.action, tvb(1, 1))
    tree:add(f.member, tvb(2, 4))
    local us = tvb(6, 8):uint64()
    tree:add(f.time, tvb(6, 8), NSTime.new((us / 1000000):tonumber(), (us % 1000000):tonumber() * 1000))
    at = add_name(tree, tvb, 14)
  elseif code == 2 then
    tree:add(f.member, tvb(1, 4))
    return add_name(tree, tvb, 5)
  elseif code == 3 then
    tree:add(f.member, tvb(1, 4))
    tree:add(f.reason, tvb(5, 1))
    return add_name(tree, tvb, 6)
  elseif code == 4 then
    tree:add(f.member, tvb(1, 4))
    return add_name(tree, tvb, add_name(tree, tvb, 5, f.before))
  elseif code == 8 then
    tree:add(f.member, tvb(1, 4))
    at = add_name(tree, tvb, 5)
  elseif code == 72 then
    tree:add(f.seconds, tvb(1, 4))
    return add_name(tree, tvb, 5)
  elseif code == 73 then
    at = 1
  elseif code == 5 or code == 67 or code == 70 or code == 71 then
    return add_name(tree, tvb, 1)
  elseif code == 6 then
    tree:add(f.request, tvb(1, 8))
    at = 9
  elseif code == 65 then
    tree:add(f.action, tvb(1, 1), tvb(1, 1):uint() == 1)
    at = 2
  elseif code ~= 66 then
    return
  end
  if at < tvb:len() then tree:add(f.text, tvb(at)) end
end

local function bundle(body, tree, app)
  local flags = body(0, 1):bitfield(4, 4)
  local at, number = 1, nil
  tree:add(f.numbered, body(0, 1))
  tree:add(f.continues, body(0, 1))
  tree:add(f.open, body(0, 1))
  if flags % 2 == 1 then
    number = body(1, 8):uint64()
    at = 9
  end
  local first, count = true, 0
  while at < body:len() do
    local size = body(at, 1):uint()
    at = at + 1
    if size >= 128 then
      size = (size - 128) * 256 + body(at, 1):uint()
      at = at + 1
    end
    local range = body(at, size)
    local item = tree:add(f.entry, range)
    if number then item:add(f.record, number) end
    local last = at + size >= body:len()
    local whole = not (first and bit.band(flags, 2) ~= 0) and not (last and bit.band(flags, 4) ~= 0)
    if whole and app == "chat" and size > 0 then
      chat_message(range:tvb(), item)
    elseif whole and size > 0 then
      item:add(f.text, range)
    end
    at, first, count = at + size, false, count + 1
    if number then number = number + 1 end
  end
  return count
end

local function data_body(body, tree, app)
  local kind = body(0, 1):bitfield(0, 4)
  tree:add(f.kind, body(0, 1))
  if kind == 0 then
    local count = bundle(body, tree, app)
    return count == 1 and "1 message" or count .. " messages"
  elseif kind == 1 then
    tree:add(f.gap_from, body(1, 8))
    tree:add(f.gap_to, body(9, 8))
    tree:add(f.gap_count, body(17, 4))
  elseif kind == 2 then
    tree:add(f.end_code, body(1, 1))
    if body:len() > 2 then tree:add(f.text, body(2)) end
  end
  return KINDS[kind] or "unknown"
end

local function in_session(tvb, tree, kind)
  local app = app_of_session[tostring(tvb(4, 8):uint64())]
  tree:add(f.session, tvb(4, 8))
  tree:add(f.seq, tvb(12, 4))
  tree:add(f.ack, tvb(16, 4))
  tree:add(f.window, tvb(20, 2))
  tree:add(f.delay, tvb(22, 2))
  local info = string.format(" seq=%d ack=%d win=%d", tvb(12, 4):uint(), tvb(16, 4):uint(), tvb(20, 2):uint())
  if kind == 6 then
    return info .. " " .. data_body(tvb(24):tvb(), tree, app)
  elseif kind == 7 and tvb:len() > 24 then
    local bitmap = 24
    if bit.band(tvb(3, 1):uint(), 4) ~= 0 and tvb:len() >= 32 then
      tree:add(f.marked, tvb(24, 4))
      tree:add(f.congested, tvb(28, 4))
      bitmap = 32
    end
    if tvb:len() > bitmap then tree:add(f.bitmap, tvb(bitmap)) end
  elseif kind == 8 then
    tree:add(f.end_code, tvb(24, 1))
    if tvb:len() > 25 then tree:add(f.text, tvb(25)) end
  end
  return info
end

local handlers = {
  [1] = function(tvb, tree)
    tree:add(f.nonce, tvb(4, 8))
    tree:add(f.padding, tvb(12))
  end,
  [2] = function(tvb, tree)
    tree:add(f.nonce, tvb(4, 8))
    tree:add(f.cookie, tvb(12, 20))
  end,
  [3] = function(tvb, tree)
    tree:add(f.nonce, tvb(4, 8))
    tree:add(f.cookie, tvb(12, 20))
    tree:add(f.first, tvb(32, 4))
    tree:add(f.window, tvb(36, 2))
    if tvb:len() > 38 then connect_payload(tvb(38):tvb(), tree, tostring(tvb(4, 8):uint64())) end
  end,
  [4] = function(tvb, tree)
    local app = app_of_nonce[tostring(tvb(4, 8):uint64())]
    app_of_session[tostring(tvb(12, 8):uint64())] = app
    tree:add(f.nonce, tvb(4, 8))
    tree:add(f.session, tvb(12, 8))
    tree:add(f.first, tvb(20, 4))
    tree:add(f.window, tvb(24, 2))
    tree:add(f.lease, tvb(26, 4))
    tree:add(f.key, tvb(30, 16))
    if tvb:len() > 46 then accept_payload(tvb(46):tvb(), tree, app) end
  end,
  [5] = function(tvb, tree)
    tree:add(f.nonce, tvb(4, 8))
    tree:add(f.code, tvb(12, 2))
    if tvb:len() > 14 then tree:add(f.text, tvb(14)) end
  end,
  [6] = function(tvb, tree) return in_session(tvb, tree, 6) end,
  [7] = function(tvb, tree) return in_session(tvb, tree, 7) end,
  [8] = function(tvb, tree) return in_session(tvb, tree, 8) end,
  [9] = function(tvb, tree) tree:add(f.session, tvb(4, 8)) end,
  [10] = function(tvb, tree)
    tree:add(f.nonce, tvb(4, 8))
    tree:add(f.lowest, tvb(12, 1))
    tree:add(f.highest, tvb(13, 1))
  end,
  [11] = function(tvb, tree)
    tree:add(f.session, tvb(4, 8))
    tree:add(f.token, tvb(12, 12))
  end,
  [12] = function(tvb, tree)
    tree:add(f.session, tvb(4, 8))
    tree:add(f.token, tvb(12, 12))
    tree:add(f.count, tvb(24, 4))
    tree:add(f.proof, tvb(28, 16))
  end,
}

-- Where the next datagram of the same session begins. The kernel hands what leaves together by UDP_SEGMENT to a
-- capture on the sending host as one packet.
local function next_datagram(tvb)
  local kind = tvb(2, 1):uint()
  if kind < 6 or kind > 8 or tvb:len() < 48 then return nil end
  local bytes = tvb:raw()
  local session = bytes:sub(5, 12)
  local at = bytes:find(session, 25, true)
  while at do
    if at > 28 and bytes:byte(at - 4) == 0xF5 and bytes:byte(at - 3) == 2 and LEAST[bytes:byte(at - 2)] then
      return at - 5
    end
    at = bytes:find(session, at + 1, true)
  end
  return nil
end

local function dissect_one(tvb, pinfo, tree)
  local kind = tvb(2, 1):uint()
  pinfo.cols.info:append(" " .. TYPES[kind])
  local top = tree:add(native, tvb(), "netkit " .. TYPES[kind])
  top:add(f.version, tvb(1, 1))
  top:add(f.type, tvb(2, 1))
  local flags = top:add(f.flags, tvb(3, 1))
  flags:add(f.ping, tvb(3, 1))
  flags:add(f.wide, tvb(3, 1))
  flags:add(f.ecn, tvb(3, 1))
  if tvb:len() < LEAST[kind] then
    top:add_proto_expert_info(malformed)
    return
  end
  local info = handlers[kind](tvb, top)
  if info then
    pinfo.cols.info:append(info)
    top:append_text(info)
  end
end

function native.dissector(tvb, pinfo, tree)
  pinfo.cols.protocol = "netkit"
  pinfo.cols.info = ""
  local rest = tvb
  local split = next_datagram(rest)
  while split do
    dissect_one(rest(0, split):tvb(), pinfo, tree)
    rest = rest(split):tvb()
    split = next_datagram(rest)
  end
  dissect_one(rest, pinfo, tree)
  return tvb:len()
end

native:register_heuristic("udp", function(tvb, pinfo, tree)
  if tvb:len() < 12 or tvb(0, 1):uint() ~= 0xF5 or tvb(1, 1):uint() ~= 2 or not TYPES[tvb(2, 1):uint()] then
    return false
  end
  native.dissector(tvb, pinfo, tree)
  return true
end)

-- ---- framed TCP

local IDS = {[0] = "register", [1] = "heartbeat", [2] = "datetime"}
local frame = Proto("netkit_frame", "netkit framed TCP")
local g = {
  length = ProtoField.uint32("netkit_frame.length", "Length"),
  id = ProtoField.int8("netkit_frame.id", "Message id", base.DEC, IDS),
  error = ProtoField.int8("netkit_frame.error", "Error code"),
  appid = ProtoField.string("netkit_frame.appid", "Application id"),
  imei = ProtoField.string("netkit_frame.imei", "IMEI"),
  time = ProtoField.string("netkit_frame.datetime", "Date and time"),
  body = ProtoField.bytes("netkit_frame.body", "Body"),
}
frame.fields = g
frame.prefs.port = Pref.uint("Port of the server", 9089, "TCP port of netkit frame serve; 0 for none")

-- The server's port of each stream that was recognised by how it began.
local server_port, stream_field = {}, Field.new("tcp.stream")
function frame.init() server_port = {} end

local function is_answer(pinfo)
  local stream = stream_field()
  local port = stream and server_port[stream.value] or frame.prefs.port
  return pinfo.src_port == port
end

local function dissect_frame(tvb, pinfo, tree)
  local length = tvb(0, 4):uint()
  local answer = is_answer(pinfo)
  pinfo.cols.protocol = "netkit frame"
  local top = tree:add(frame, tvb(), "netkit frame, " .. (answer and "answer" or "request"))
  top:add(g.length, tvb(0, 4))
  if length == 0 then return tvb:len() end
  local id = tvb(4, 1):int()
  local name = IDS[id] or tostring(id)
  top:add(g.id, tvb(4, 1))
  top:append_text(" " .. name)
  local at = 5
  if answer and length > 1 then
    top:add(g.error, tvb(5, 1))
    if tvb(5, 1):int() ~= 0 then name = name .. " error " .. tvb(5, 1):int() end
    at = 6
  end
  if at < tvb:len() then
    if id == 0 and not answer and length == 52 then
      top:add(g.appid, tvb(5, 36))
      top:add(g.imei, tvb(41, 15))
    elseif id == 2 and answer then
      top:add(g.time, tvb(at))
    else
      top:add(g.body, tvb(at))
    end
  end
  pinfo.cols.info:append((answer and " <" or " >") .. name)
  return tvb:len()
end

function frame.dissector(tvb, pinfo, tree)
  pinfo.cols.info = ""
  dissect_tcp_pdus(tvb, tree, 4, function(buffer, _, offset) return buffer(offset, 4):uint() + 4 end, dissect_frame)
end

-- What a client of frame begins with: register, heartbeat or datetime, exactly as long as each is.
frame:register_heuristic("tcp", function(tvb, pinfo, tree)
  if tvb:len() < 5 then return false end
  local length, id = tvb(0, 4):uint(), tvb(4, 1):int()
  if not (length == 52 and id == 0) and not (length == 1 and (id == 1 or id == 2)) then return false end
  local stream = stream_field()
  if stream and not server_port[stream.value] then server_port[stream.value] = pinfo.dst_port end
  pinfo.conversation = frame
  frame.dissector(tvb, pinfo, tree)
  return true
end)

local tcp_ports, frame_port = DissectorTable.get("tcp.port"), 0
local function claim_frame_port()
  if frame_port ~= 0 then tcp_ports:remove(frame_port, frame) end
  frame_port = frame.prefs.port
  if frame_port ~= 0 then tcp_ports:add(frame_port, frame) end
end
frame.prefs_changed = claim_frame_port
claim_frame_port()

-- ---- the plain dialects

local plain = Proto("netkit_plain", "netkit plain dialect")
local h = {
  what = ProtoField.string("netkit_plain.what", "What it is"),
  text = ProtoField.string("netkit_plain.text", "Text", base.UNICODE),
}
plain.fields = h
plain.prefs.chat = Pref.uint("Port of chat", 9998, "UDP port of netkit chat serve; 0 for none")
plain.prefs.push = Pref.uint("Port of push", 9000, "UDP and TCP port of netkit push serve; 0 for none")

local WORDS = {reg = "register", ["^hb^"] = "heartbeat", quit = "leave"}

local function what_it_is(text, pinfo)
  if pinfo.dst_port == plain.prefs.chat then
    local word = text:match("^%s*(.-)%s*$")
    return "chat", word == "" and "nothing" or WORDS[word] or "message"
  elseif pinfo.src_port == plain.prefs.chat then
    return "chat", text == "end" and "the room closes" or "message to a member"
  elseif pinfo.dst_port == plain.prefs.push then
    return "push", pinfo.port_type == 2 and "control line" or "registration"
  end
  return "push", pinfo.port_type == 2 and "answer" or "record"
end

function plain.dissector(tvb, pinfo, tree)
  if tvb:len() == 0 then return 0 end
  if tvb(0, 1):uint() == 0xF5 and tvb:len() >= 12 and TYPES[tvb(2, 1):uint()] then
    return native.dissector(tvb, pinfo, tree)
  end
  local command, what = what_it_is(tvb():raw(), pinfo)
  pinfo.cols.protocol = "netkit " .. command
  pinfo.cols.info = what
  local top = tree:add(plain, tvb(), "netkit " .. command .. ", " .. what)
  top:add(h.what, what)
  top:add(h.text, tvb())
  return tvb:len()
end

local udp_ports, plain_ports = DissectorTable.get("udp.port"), {}
local function claim_plain_ports()
  for _, port in ipairs(plain_ports) do
    udp_ports:remove(port, plain)
    tcp_ports:remove(port, plain)
  end
  plain_ports = {}
  for _, port in ipairs({plain.prefs.chat, plain.prefs.push}) do
    if port ~= 0 then
      udp_ports:add(port, plain)
      plain_ports[#plain_ports + 1] = port
    end
  end
  if plain.prefs.push ~= 0 then tcp_ports:add(plain.prefs.push, plain) end
end
plain.prefs_changed = claim_plain_ports
claim_plain_ports()
