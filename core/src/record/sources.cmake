target_sources(netkit-core PRIVATE
  src/record/compiled_template.cpp
  src/record/formatter.cpp
  src/record/json_text.cpp
  src/record/template.cpp
)
