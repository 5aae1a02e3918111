package dev.muelle.services.ec2.image;

import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.ec2.model.ArchitectureType;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesResponse;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;

/**
 * The sizes in which instances come: general purpose and compute optimized ones.
 *
 * @see <a href="https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html">General purpose</a>
 * @see <a href="https://docs.aws.amazon.com/ec2/latest/instancetypes/co.html">Compute optimized</a>
 */
public final class InstanceTypes {

  private static final Filters<InstanceTypeInfo> FILTERS =
      new Filters<InstanceTypeInfo>()
          .by("instance-type", InstanceTypeInfo::instanceTypeAsString)
          .by("current-generation", InstanceTypeInfo::currentGeneration)
          .by("burstable-performance-supported", InstanceTypeInfo::burstablePerformanceSupported)
          .by("vcpu-info.default-vcpus", type -> type.vCpuInfo().defaultVCpus())
          .by("memory-info.size-in-mib", type -> type.memoryInfo().sizeInMiB())
          .by("bare-metal", InstanceTypeInfo::bareMetal)
          .by("hypervisor", InstanceTypeInfo::hypervisorAsString)
          .byAny(
              "processor-info.supported-architecture",
              type -> type.processorInfo().supportedArchitecturesAsStrings())
          .byAny("supported-usage-class", InstanceTypeInfo::supportedUsageClassesAsStrings)
          .byAny(
              "supported-virtualization-type",
              InstanceTypeInfo::supportedVirtualizationTypesAsStrings)
          .by(
              "network-info.ipv4-addresses-per-interface",
              type -> type.networkInfo().ipv4AddressesPerInterface())
          .by(
              "network-info.maximum-network-interfaces",
              type -> type.networkInfo().maximumNetworkInterfaces());

  /** One line a type: name, vCPUs, MiB, network interfaces, addresses of each. */
  private static final Map<String, Type> ALL =
      """
      t2.nano       1     512  2  2
      t2.micro      1    1024  2  2
      t2.small      1    2048  3  4
      t2.medium     2    4096  3  6
      t2.large      2    8192  3 12
      t2.xlarge     4   16384  3 15
      t2.2xlarge    8   32768  3 15
      t3.nano       2     512  2  2
      t3.micro      2    1024  2  2
      t3.small      2    2048  3  4
      t3.medium     2    4096  3  6
      t3.large      2    8192  3 12
      t3.xlarge     4   16384  4 15
      t3.2xlarge    8   32768  4 15
      m5.large      2    8192  3 10
      m5.xlarge     4   16384  4 15
      m5.2xlarge    8   32768  4 15
      m5.4xlarge   16   65536  8 30
      m5.8xlarge   32  131072  8 30
      m5.12xlarge  48  196608  8 30
      m5.16xlarge  64  262144 15 50
      m5.24xlarge  96  393216 15 50
      c5.large      2    4096  3 10
      c5.xlarge     4    8192  4 15
      c5.2xlarge    8   16384  4 15
      c5.4xlarge   16   32768  8 30
      c5.9xlarge   36   73728  8 30
      c5.12xlarge  48   98304  8 30
      c5.18xlarge  72  147456 15 50
      c5.24xlarge  96  196608 15 50
      """
          .lines()
          .map(Type::parse)
          .collect(Collectors.toMap(Type::name, Function.identity()));

  private InstanceTypes() {}

  public record Type(String name, int vcpus, long mebibytes, int interfaces, int addresses) {
    private static Type parse(String line) {
      List<String> words = Arrays.asList(line.trim().split(" +", -1));
      return new Type(
          words.get(0),
          Integer.parseInt(words.get(1)),
          Long.parseLong(words.get(2)),
          Integer.parseInt(words.get(3)),
          Integer.parseInt(words.get(4)));
    }

    /** Whether it is one of those that earn and spend CPU credits on AWS. */
    public boolean burstable() {
      return name.startsWith("t");
    }
  }

  static Set<String> names() {
    return ALL.keySet();
  }

  public static Optional<Type> find(String name) {
    return Optional.ofNullable(ALL.get(name));
  }

  public static DescribeInstanceTypesResponse describe(DescribeInstanceTypesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    for (String name : request.instanceTypesAsStrings()) {
      if (!ALL.containsKey(name)) {
        throw Refuse.because(
            "InvalidInstanceType",
            "The following supplied instance types do not exist: [" + name + "]");
      }
    }
    List<InstanceTypeInfo> types =
        ALL.values().stream()
            .filter(type ->
                request.instanceTypesAsStrings().isEmpty()
                    || request.instanceTypesAsStrings().contains(type.name()))
            .map(InstanceTypes::info)
            .sorted((a, b) -> a.instanceTypeAsString().compareTo(b.instanceTypeAsString()))
            .toList();
    Pages<InstanceTypeInfo> page =
        Pages.of(
            FILTERS.select(types, request.filters()),
            InstanceTypeInfo::instanceTypeAsString,
            request.instanceTypesAsStrings(),
            request.nextToken(),
            request.maxResults(),
            new Pages.Sizes(5, 100));
    return DescribeInstanceTypesResponse.builder()
        .instanceTypes(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static InstanceTypeInfo info(Type type) {
    boolean old = type.name().startsWith("t2.");
    return InstanceTypeInfo.builder()
        .instanceType(type.name())
        .currentGeneration(true)
        .bareMetal(false)
        .hypervisor(old ? "xen" : "nitro")
        .burstablePerformanceSupported(type.burstable())
        .supportedVirtualizationTypesWithStrings("hvm")
        .supportedUsageClassesWithStrings("on-demand")
        .processorInfo(p -> p.supportedArchitectures(ArchitectureType.X86_64))
        .vCpuInfo(v -> v.defaultVCpus(type.vcpus()))
        .memoryInfo(m -> m.sizeInMiB(type.mebibytes()))
        .networkInfo(n ->
            n.maximumNetworkInterfaces(type.interfaces())
                .ipv4AddressesPerInterface(type.addresses()))
        .build();
  }
}
