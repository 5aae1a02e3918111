# The JVM of a server, for the launcher and for what bench/ measures.

# Native access and sun.misc.Unsafe: what Netty, SQLite and our own system calls need on JDK 25.
common=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Dio.netty.leakDetection.level=disabled
  -XX:+UseCompactObjectHeaders)

# Little of the heap lives long. One thread collects a small young generation within a few milliseconds some times a
# second, and a server's memory stays what it is at whatever load (docs/decisions/0320).
# What the C library keeps of what was freed, most of it the compilers', goes back every two seconds (docs/decisions/0345).
memory=(-XX:+UseSerialGC -Xmn32m -XX:TrimNativeHeapInterval=2000)

# The best compiler takes a method only when it has been called ten times as often as is usual: it took a sixth of the
# processor while a thousand tasks started, for methods that were soon over. What is really busy gets there all the same.
patient=(-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 -XX:Tier4CompileThreshold=150000
  -XX:Tier4BackEdgeThreshold=400000)
