"""The Huawei Cloud provider of reelvet."""
