package dev.muelle.linux;

import static dev.muelle.linux.NetlinkMessage.HEADER;
import static dev.muelle.linux.NetlinkMessage.NLMSG_ERROR;
import static dev.muelle.linux.NetlinkMessage.NLM_F_ACK;
import static dev.muelle.linux.NetlinkMessage.NLM_F_CREATE;
import static dev.muelle.linux.NetlinkMessage.aligned;
import static dev.muelle.linux.NetlinkMessage.text;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;
import java.util.HexFormat;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Links, addresses and routes of one network namespace, set by messages to the kernel: what ip(8)
 * does, without a process for each. The socket belongs to the namespace in which it was opened.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/rtnetlink.7.html">rtnetlink(7)</a>
 */
public final class RouteSocket implements AutoCloseable {

  private static final short RTM_NEWLINK = 16;
  private static final short RTM_DELLINK = 17;
  private static final short RTM_GETLINK = 18;
  private static final short RTM_SETLINK = 19;
  private static final short RTM_NEWADDR = 20;
  private static final short RTM_NEWROUTE = 24;
  private static final short RTM_DELROUTE = 25;
  private static final short NLM_F_REPLACE = 0x100;
  private static final short NLM_F_EXCL = 0x200;

  private static final short IFLA_ADDRESS = 1;
  private static final short IFLA_IFNAME = 3;
  private static final short IFLA_LINKINFO = 18;
  private static final short IFLA_AF_SPEC = 26;
  private static final short IFLA_GROUP = 27;
  private static final short IFLA_NET_NS_FD = 28;
  private static final short IFLA_INFO_KIND = 1;
  private static final short IFLA_INFO_DATA = 2;
  private static final short VETH_INFO_PEER = 1;
  private static final short IFLA_INET6_ADDR_GEN_MODE = 8;
  private static final short IFA_ADDRESS = 1;
  private static final short IFA_LOCAL = 2;
  private static final short RTA_DST = 1;
  private static final short RTA_OIF = 4;
  private static final short RTA_GATEWAY = 5;
  private static final short RTA_PREFSRC = 7;

  private static final byte AF_INET = 2;
  private static final byte AF_INET6 = 10;
  private static final byte IN6_ADDR_GEN_MODE_NONE = 1;
  private static final byte WHOLE_ADDRESS = 32;
  private static final byte RT_TABLE_MAIN = (byte) 254;
  private static final byte RTPROT_BOOT = 3;
  private static final byte RT_SCOPE_UNIVERSE = 0;
  private static final byte RT_SCOPE_LINK = (byte) 253;
  private static final byte RTN_UNICAST = 1;
  private static final int IFF_UP = 1;
  private static final int MOST = 1024; // bytes of a message

  /** The group of links that are about to be removed; all others of ours are in group 0. */
  private static final int LEAVING = 0x6d75;

  private static final int BUFFER = 32 << 10;

  private final ReentrantLock lock = new ReentrantLock();
  private final int fd;
  private int sequence;

  private RouteSocket(int fd) {
    this.fd = fd;
  }

  /** Opens one in the network namespace of the calling operating-system thread. */
  public static RouteSocket open() {
    return new RouteSocket(Syscalls.routeSocket());
  }

  /**
   * Makes a pair of links that are each other's ends.
   *
   * @param name of the end that is here, which is up
   * @param peer of the end in the other namespace
   * @param peerAddress link address of that end
   * @param namespace descriptor of the other namespace
   */
  public void addPair(String name, String peer, String peerAddress, int namespace) {
    Message message = new Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    message.link(0, IFF_UP);
    message.put(IFLA_IFNAME, text(name));
    int info = message.begin(IFLA_LINKINFO);
    message.put(IFLA_INFO_KIND, text("veth"));
    int data = message.begin(IFLA_INFO_DATA);
    int other = message.begin(VETH_INFO_PEER);
    message.link(0, 0); // up only when it has another end
    message.put(IFLA_IFNAME, text(peer));
    message.put(IFLA_ADDRESS, HexFormat.ofDelimiter(":").parseHex(peerAddress));
    message.put(IFLA_NET_NS_FD, number(namespace));
    message.end(other);
    message.end(data);
    message.end(info);
    send(message, "link add " + name);
  }

  /**
   * A link is to get no IPv6 address of its own making when it comes up: asking a network of two
   * whether somebody has it already is a part of what a thousand links cost. Where there is no
   * IPv6, nothing is to be done.
   */
  public void withoutOwnAddress(int link) {
    Message message = new Message(RTM_SETLINK, 0);
    message.link(link, 0);
    int families = message.begin(IFLA_AF_SPEC);
    int ipv6 = message.begin(AF_INET6);
    message.put(IFLA_INET6_ADDR_GEN_MODE, new byte[] {IN6_ADDR_GEN_MODE_NONE});
    message.end(ipv6);
    message.end(families);
    try {
      send(message, "link set addrgenmode none");
    } catch (LinuxException e) {
      if (e.errno() != LinuxException.EAFNOSUPPORT) {
        throw e;
      }
    }
  }

  /** Sets a link up. */
  public void up(int link) {
    Message message = new Message(RTM_NEWLINK, 0);
    message.link(link, IFF_UP);
    send(message, "link set up");
  }

  /** The number of the link with this name. */
  public int link(String name) {
    Message message = new Message(RTM_GETLINK, 0);
    message.link(0, 0);
    message.put(IFLA_IFNAME, text(name));
    return send(message, "link show " + name);
  }

  /**
   * Removes links, and their other ends, all at once: for each removal the kernel waits until
   * nobody uses what is removed any more, which takes as long for hundreds as for one. Those that
   * are not there are none the less gone.
   */
  public void deleteLinks(Collection<String> names) {
    boolean any = false;
    for (String name : names) {
      Message message = new Message(RTM_SETLINK, 0);
      message.link(0, 0);
      message.put(IFLA_IFNAME, text(name));
      message.put(IFLA_GROUP, number(LEAVING));
      any |= sentToSome(message, "link set group " + name);
    }
    if (any) {
      Message message = new Message(RTM_DELLINK, 0);
      message.link(0, 0);
      message.put(IFLA_GROUP, number(LEAVING));
      sentToSome(message, "link del group"); // to none if all went with their namespaces meanwhile
    }
  }

  /** Whether there was a link that the message is about. */
  private boolean sentToSome(Message message, String what) {
    try {
      send(message, what);
      return true;
    } catch (LinuxException e) {
      if (e.errno() != LinuxException.ENODEV) {
        throw e;
      }
      return false;
    }
  }

  /** Gives a link an address of its own, without a network around it. */
  public void address(int link, int address) {
    Message message = new Message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
    message.bytes(AF_INET, WHOLE_ADDRESS, (byte) 0, RT_SCOPE_UNIVERSE);
    message.number(link);
    message.put(IFA_LOCAL, address(address));
    message.put(IFA_ADDRESS, address(address));
    send(message, "addr add");
  }

  /** What goes to one address is handed to a link, whatever route it had. */
  public void routeTo(int address, int link) {
    Message message = route(WHOLE_ADDRESS, RT_SCOPE_LINK);
    message.put(RTA_DST, address(address));
    message.put(RTA_OIF, number(link));
    send(message, "route replace");
  }

  /**
   * What goes to one address goes to a gateway that is at the other end of a link.
   *
   * @param address of either family, as the gateway
   * @throws LinuxException with {@link LinuxException#EEXIST} if there is a route already
   */
  public void routeVia(byte[] address, byte[] gateway, int link) {
    send(via(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, address, gateway, link), "route add");
  }

  /**
   * Takes away what {@link #routeVia} added.
   *
   * @throws LinuxException with {@link LinuxException#ESRCH} if there is no such route
   */
  public void deleteRouteVia(byte[] address, byte[] gateway, int link) {
    send(via(RTM_DELROUTE, 0, address, gateway, link), "route del");
  }

  private static Message via(short type, int flags, byte[] address, byte[] gateway, int link) {
    byte family = address.length == Integer.BYTES ? AF_INET : AF_INET6;
    byte whole = (byte) (address.length * Byte.SIZE);
    Message message = route(type, flags, family, whole, RT_SCOPE_UNIVERSE);
    message.put(RTA_DST, address);
    message.put(RTA_GATEWAY, gateway);
    message.put(RTA_OIF, number(link));
    return message;
  }

  /** What no other route knows goes to a gateway. */
  public void defaultRoute(int gateway, int link, int source) {
    Message message = route((byte) 0, RT_SCOPE_UNIVERSE);
    message.put(RTA_GATEWAY, address(gateway));
    message.put(RTA_OIF, number(link));
    message.put(RTA_PREFSRC, address(source));
    send(message, "route replace default");
  }

  private static Message route(byte prefix, byte scope) {
    return route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, AF_INET, prefix, scope);
  }

  private static Message route(short type, int flags, byte family, byte prefix, byte scope) {
    Message message = new Message(type, flags);
    message.bytes(family, prefix, (byte) 0, (byte) 0);
    message.bytes(RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST);
    message.number(0);
    return message;
  }

  private static byte[] number(int number) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(number).array();
  }

  private static byte[] address(int address) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(address).array();
  }

  /** Sends and waits for the answer; gives the number of the link that the answer is about. */
  private int send(Message message, String what) {
    lock.lock();
    try (Arena arena = Arena.ofConfined()) {
      byte[] request = message.finish(++sequence);
      MemorySegment out = arena.allocate(request.length, Integer.BYTES);
      MemorySegment.copy(
          request, 0, out, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, request.length);
      Syscalls.send(fd, out);
      MemorySegment in = arena.allocate(BUFFER, Integer.BYTES);
      int link = -1;
      while (true) {
        long length = Syscalls.receive(fd, in);
        ByteBuffer answer = in.asSlice(0, length).asByteBuffer().order(ByteOrder.nativeOrder());
        while (answer.remaining() >= HEADER) {
          int begin = answer.position();
          int size = answer.getInt();
          short type = answer.getShort();
          answer.getShort(); // flags
          boolean ours = answer.getInt() == sequence;
          answer.getInt(); // port
          if (ours && type == NLMSG_ERROR) {
            int error = -answer.getInt();
            if (error != 0) {
              throw new LinuxException(what, error, Syscalls.reason(error));
            }
            return link;
          }
          if (ours && type == RTM_NEWLINK) {
            link = answer.getInt(answer.position() + Integer.BYTES);
          }
          answer.position(Math.min(answer.limit(), begin + aligned(size)));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    Syscalls.close(fd);
  }

  /** A message that is being written. */
  private static final class Message extends NetlinkMessage {

    Message(short type, int flags) {
      super(MOST, type, NLM_F_ACK | flags);
    }

    /** The fixed part of a message about a link ({@code struct ifinfomsg}). */
    void link(int index, int up) {
      number(0);
      number(index);
      number(up); // the flags
      number(up); // and which of them count
    }
  }
}
