"""The Tencent Cloud provider of reelvet."""
