netkit_fuzz_test(line_decoder SOURCES line_decoder_fuzz.cpp)
netkit_fuzz_test(frame_codec SOURCES frame_codec_fuzz.cpp)
netkit_fuzz_test(codec_text SOURCES codec_text_fuzz.cpp)

# netkit_cut_fuzz_test(FAMILY CODEC...): what a family of cutters makes of any stream and any body. The fuzzers differ
# in one text only.
add_library(netkit-cut-fuzz OBJECT cut_fuzz.cpp)
target_include_directories(netkit-cut-fuzz PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(netkit-cut-fuzz PRIVATE netkit-core netkit-warnings)
function(netkit_cut_fuzz_test family)
  list(JOIN ARGN " " codecs)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/cut_${family}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "extern const char* const kCutCodecs;\nconst char* const kCutCodecs = \"@codecs@\";\n")
  netkit_fuzz_test(cut_${family} SOURCES ${source} $<TARGET_OBJECTS:netkit-cut-fuzz>)
endfunction()

netkit_cut_fuzz_test(length u16,check=crc16-modbus:le u8,offset=2 varint,offset=1 digits=3
  digits=2,offset=1,adjust=-3,check=sum8@0.. u24le,adjust=1 u32,strip=0,check=crc32@0..-4 postgres mqtt)
netkit_cut_fuzz_test(delimiter line crlf delim=0d0a0d0a delim=6161 line,check=xor8)
netkit_cut_fuzz_test(marks start=24,end=0a start=aa55,end=0d0a start=02,end=03,escape=10,check=lrc
  start=6161,end=6162 start=6162,end=62,check=crc8)
netkit_cut_fuzz_test(flags slip hdlc jt808 start=22,end=22 hdlc,check=crc16-x25:le slip,check=crc32)
netkit_cut_fuzz_test(cobs cobs cobs,check=crc16-xmodem)
netkit_cut_fuzz_test(fixed fixed=1 fixed=7 fixed=6,check=crc16-modbus:le fixed=3,check=sum8@1..)
netkit_cut_fuzz_test(idle idle=5ms modbus-rtu)
netkit_cut_fuzz_test(nmea nmea)
netkit_cut_fuzz_test(gt06 gt06)
