/**
 * The compiled descriptor set of health.proto in grpc-health-check, which does not include one. The
 * descriptors that proto-loader generates from the file rename its parts, so that other tools do
 * not find the service in them. Created with `buf build node_modules/grpc-health-check/proto
 * --as-file-descriptor-set --exclude-source-info -o -`.
 */
export const healthDescriptorSet = Buffer.from(
  [
    "CtMGChZoZWFsdGgvdjEvaGVhbHRoLnByb3RvEg5ncnBjLmhlYWx0aC52MSITChFIZWFsdGhMaXN0UmVxdWVzdCLEAQoSSGVhbHRo",
    "TGlzdFJlc3BvbnNlEkwKCHN0YXR1c2VzGAEgAygLMjAuZ3JwYy5oZWFsdGgudjEuSGVhbHRoTGlzdFJlc3BvbnNlLlN0YXR1c2Vz",
    "RW50cnlSCHN0YXR1c2VzGmAKDVN0YXR1c2VzRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSOQoFdmFsdWUYAiABKAsyIy5ncnBjLmhl",
    "YWx0aC52MS5IZWFsdGhDaGVja1Jlc3BvbnNlUgV2YWx1ZToCOAEiLgoSSGVhbHRoQ2hlY2tSZXF1ZXN0EhgKB3NlcnZpY2UYASAB",
    "KAlSB3NlcnZpY2UisQEKE0hlYWx0aENoZWNrUmVzcG9uc2USSQoGc3RhdHVzGAEgASgOMjEuZ3JwYy5oZWFsdGgudjEuSGVhbHRo",
    "Q2hlY2tSZXNwb25zZS5TZXJ2aW5nU3RhdHVzUgZzdGF0dXMiTwoNU2VydmluZ1N0YXR1cxILCgdVTktOT1dOEAASCwoHU0VSVklO",
    "RxABEg8KC05PVF9TRVJWSU5HEAISEwoPU0VSVklDRV9VTktOT1dOEAMy/QEKBkhlYWx0aBJQCgVDaGVjaxIiLmdycGMuaGVhbHRo",
    "LnYxLkhlYWx0aENoZWNrUmVxdWVzdBojLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVzcG9uc2USUgoFV2F0Y2gSIi5ncnBj",
    "LmhlYWx0aC52MS5IZWFsdGhDaGVja1JlcXVlc3QaIy5ncnBjLmhlYWx0aC52MS5IZWFsdGhDaGVja1Jlc3BvbnNlMAESTQoETGlz",
    "dBIhLmdycGMuaGVhbHRoLnYxLkhlYWx0aExpc3RSZXF1ZXN0GiIuZ3JwYy5oZWFsdGgudjEuSGVhbHRoTGlzdFJlc3BvbnNlQmEK",
    "EWlvLmdycGMuaGVhbHRoLnYxQgtIZWFsdGhQcm90b1ABWixnb29nbGUuZ29sYW5nLm9yZy9ncnBjL2hlYWx0aC9ncnBjX2hlYWx0",
    "aF92MaoCDkdycGMuSGVhbHRoLlYxYgZwcm90bzM=",
  ].join(""),
  "base64",
);
