package dev.muelle.services.ec2.state;

import dev.muelle.network.Cidr6;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceIpv6Address;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.SubnetIpv6CidrBlockAssociation;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ec2.model.VpcIpv6CidrBlockAssociation;

/** What is stored of IPv6: blocks of VPCs and subnets, addresses of interfaces. */
public final class Ipv6 {

  /** What a VPC's block has, and a subnet's. */
  public static final int VPC_PREFIX = 56;

  public static final int SUBNET_PREFIX = 64;

  private Ipv6() {}

  public static List<Cidr6> blocks(Vpc vpc) {
    return vpc.ipv6CidrBlockAssociationSet().stream()
        .map(VpcIpv6CidrBlockAssociation::ipv6CidrBlock)
        .map(Cidr6::parse)
        .toList();
  }

  public static Optional<Cidr6> block(Subnet subnet) {
    return subnet.ipv6CidrBlockAssociationSet().stream()
        .map(SubnetIpv6CidrBlockAssociation::ipv6CidrBlock)
        .map(Cidr6::parse)
        .findFirst();
  }

  public static List<String> addresses(NetworkInterface eni) {
    return eni.ipv6Addresses().stream().map(NetworkInterfaceIpv6Address::ipv6Address).toList();
  }

  /** A request's address in the form in which it is stored. */
  public static String normal(String address) {
    try {
      return Cidr6.normal(address);
    } catch (IllegalArgumentException e) {
      throw Refuse.invalidValue("Invalid value '" + address + "' for ipv6Address");
    }
  }
}
