package dev.muelle.services.ec2;

import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * A VPC with the attribute that its description does not show.
 *
 * @param dnsHostnames whether interfaces with a public address have a public host name
 */
record VpcRecord(Vpc vpc, boolean dnsHostnames) {}
